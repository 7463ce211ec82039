"""Inside a mount name space: one server queues messages, the other delivers them from the same spool.

    unshare --mount --pid --fork --kill-child --mount-proc python spool_exchange_machine.py ROOT EXIM writer

ROOT is a folder with Debian's Exim (scripts/reference exim), EXIM this program; the writer is "exim" or "eximious", the
other one delivers. Prints a JSON object: the mailboxes, and what was left in the queue.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CONFIGURATION = """\
primary_hostname = exchange.test
qualify_domain = exchange.test
spool_directory = BASE/spool
log_file_path = BASE/log/%slog
SPLIT
keep_environment =
never_users =
SPECIFIC
begin routers
boxes:
  driver = accept
  local_parts = plain : one : two : three : folded : octets : empty : dots : large
  transport = boxes
begin transports
boxes:
  driver = appendfile
  file = BASE/mail/$local_part_data
  user = EXIM_UID
  group = EXIM_GID
  envelope_to_add
  return_path_add
begin retry
* * F,1h,1m
"""

MESSAGES: list[tuple[list[str], bytes]] = [
    (["plain@exchange.test"], b"Subject: plain\n\nA line.\n"),
    (["one@exchange.test", "two@exchange.test", "three@exchange.test"], b"Subject: three recipients\n\nFor all.\n"),
    (
        ["folded@exchange.test"],
        b"Subject: a header\n that is folded\n\tand again\nX-Long: " + b"x" * 5000 + b"\n\nBody.\n",
    ),
    (["octets@exchange.test"], b"Subject: \xc3\xa9\xff\n\nEight bits: \xe4\xf6\xfc\xff.\n"),
    (["empty@exchange.test"], b"Subject: no body\n\n"),
    (["dots@exchange.test"], b"Subject: dots\n\n.\n..\nFrom here on\n"),
    (
        ["large@exchange.test"],
        b"Subject: large\n\n" + b"seventy octets a line, and ten thousand of them, make a large message\n" * 10000,
    ),
]


def run(*words: str, text: bytes = b"") -> bytes:
    done = subprocess.run(words, input=text, capture_output=True, check=False, timeout=60)
    if done.returncode != 0:
        raise SystemExit(f"{words}: status {done.returncode}: {done.stdout!r} {done.stderr!r}")
    return done.stdout


def main() -> None:
    root, exim, writer, split = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    run("mount", "-t", "tmpfs", "tmpfs", "/mnt")
    machine = Path("/mnt/machine")
    for folder in ("upper", "work", "machine"):
        (Path("/mnt") / folder).mkdir()
    layers = f"lowerdir={root},upperdir=/mnt/upper,workdir=/mnt/work"
    run("mount", "-t", "overlay", "overlay", "-o", layers, str(machine))
    shared = machine / "exchange"
    for folder in ("spool", "log", "mail"):
        (shared / folder).mkdir(parents=True)
    account = next(
        line for line in (machine / "etc/passwd").read_text().splitlines() if line.startswith("Debian-exim:")
    )
    uid, gid = (int(word) for word in account.split(":")[2:4])
    for folder in ("spool", "log", "mail"):
        os.chown(shared / folder, uid, gid)
    text = CONFIGURATION.replace("EXIM_UID", str(uid)).replace("EXIM_GID", str(gid))
    text = text.replace("SPLIT", f"split_spool_directory = {split}")
    (machine / "etc/exim4/exim4.conf").write_text(text.replace("SPECIFIC", "").replace("BASE", "/exchange"))
    ours = Path("/mnt/ours.conf")
    ours.write_text(text.replace("SPECIFIC", f"exim_user = {uid}\nexim_group = {gid}").replace("BASE", str(shared)))
    Path("/mnt").chmod(0o755)
    exims = {"exim": ["chroot", str(machine), "exim4"], "eximious": [exim, "-C", str(ours)]}
    other = "exim" if writer == "eximious" else "eximious"
    for recipients, message in MESSAGES:
        run(*exims[writer], "-odq", "-f", "sender@exchange.test", "-i", *recipients, text=message)
    waiting = [run(*exims[name], "-bpc").decode().strip() for name in (writer, other)]
    run(*exims[other], "-qff")
    left = run(*exims[other], "-bpc").decode().strip()
    boxes = {box.name: box.read_text("latin-1") for box in sorted((shared / "mail").iterdir())}
    log = (shared / "log/mainlog").read_text()
    files = sorted(str(path.relative_to(shared)) for path in (shared / "spool").rglob("*-[HDJ]"))
    print(json.dumps({"waiting": waiting, "left": left, "boxes": boxes, "log": log, "files": files}))


if __name__ == "__main__":
    main()
