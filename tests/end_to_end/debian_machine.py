"""Inside a sandbox that looks like a Debian machine with exim4-config: run this program with a stock configuration.

    unshare --mount --net --pid --fork --kill-child --mount-proc python debian_machine.py ROOT EXIM split|example

ROOT is a folder with Debian's Exim packages (scripts/reference exim); EXIM is the command to try. All that changes
lies in throw-away layers of this mount name space; the one far host is a network name space of its own. Prints one JSON
object that says what was seen; judging it is the caller's task.
"""

from __future__ import annotations

import json
import os
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset

FAR = "192.0.2.2"
RECORDS = {
    ("elsewhere.test.", "MX"): ("10 mx.elsewhere.test.",),
    ("mx.elsewhere.test.", "A"): (FAR,),
    ("laptop.test.", "A"): ("127.0.0.1",),
    ("1.0.0.127.in-addr.arpa.", "PTR"): ("localhost.",),
}
DEBCONF = f"""\
dc_eximconfig_configtype='smarthost'
dc_other_hostnames='home.test'
dc_local_interfaces='127.0.0.1'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost='{FAR}::25'
CFILEMODE='644'
dc_use_split_config='SPLIT'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
"""


def command(*words: str | Path, **options: object) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        raise SystemExit(f"{words}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return str(done.stdout)


def layer(target: Path, *below: Path) -> None:
    """Put a throw-away layer over a folder; what it lacks is seen in the folders below, the first one first."""
    scratch = Path(tempfile.mkdtemp(dir=SCRATCH))
    for name in ("upper", "work"):
        (scratch / name).mkdir()
    target.mkdir(parents=True, exist_ok=True)
    lower = ":".join(str(folder) for folder in (below or (target,)))
    settings = f"lowerdir={lower},upperdir={scratch}/upper,workdir={scratch}/work"
    command("mount", "-t", "overlay", "overlay", "-o", settings, target)


def dress_up(root: Path, configuration: str) -> None:
    """Make this name space look like a machine on which Debian's exim4 packages are installed and configured."""
    machine = SCRATCH / "machine"
    layer(machine, root)
    for name in ("update-exim4.conf.conf", "exim4.conf"):
        (machine / "etc/exim4" / name).unlink(missing_ok=True)
    (machine / "etc/mailname").write_text("home.test\n")
    split = "true" if configuration == "split" else "false"
    (machine / "etc/exim4/update-exim4.conf.conf").write_text(DEBCONF.replace("SPLIT", split))
    command("chroot", machine, "update-exim4.conf")
    accounts = [line for line in (machine / "etc/passwd").read_text().splitlines() if line.startswith("Debian-exim:")]
    uid, gid = (int(word) for word in accounts[0].split(":")[2:4])
    for folder in ("/etc", "/var/lib"):
        layer(Path(folder), Path(folder), machine / folder[1:])
    for folder in ("/var/spool", "/var/log", "/var/mail", "/home"):
        layer(Path(folder))
    Path("/home/alice").mkdir()
    os.chown("/home/alice", 7001, 7001)
    if configuration == "example":
        example = machine / "usr/share/doc/exim4-base/examples/example.conf"
        Path("/etc/exim4/exim4.conf").write_bytes(example.read_bytes())
    accounts.append("alice:x:7001:7001:Alice:/home/alice:/bin/sh")
    with Path("/etc/passwd").open("a") as passwd:
        passwd.write("".join(f"{line}\n" for line in accounts))
    with Path("/etc/group").open("a") as group:
        group.write(f"Debian-exim:x:{gid}:\nalice:x:7001:\n")
    Path("/etc/aliases").write_text("postmaster: alice\n")
    Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    Path("/etc/hosts").write_text("127.0.0.1 localhost\n127.0.0.1 home.test\n")
    Path("/var/mail").chmod(0o1777)
    for folder in ("/var/spool/exim4", "/var/log/exim4", "/var/spool/exim"):
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()
        os.chown(folder, uid, gid)
    command("hostname", "home.test")


def connect_far_host() -> int:
    """A second host on a wire of its own: the process id that holds its network name space."""
    command("ip", "link", "set", "lo", "up")
    holder = subprocess.Popen(["unshare", "--net", "sleep", "300"])
    until("the far host has a network of its own", lambda: network_of(holder.pid) != network_of(os.getpid()))
    command("ip", "link", "add", "wire0", "type", "veth", "peer", "name", "wire1")
    command("ip", "link", "set", "wire1", "netns", str(holder.pid))
    command("ip", "addr", "add", "192.0.2.1/24", "dev", "wire0")
    command("ip", "link", "set", "wire0", "up")
    inside = ("nsenter", "-t", str(holder.pid), "--net")
    command(*inside, "ip", "addr", "add", f"{FAR}/24", "dev", "wire1")
    command(*inside, "ip", "link", "set", "wire1", "up")
    command(*inside, "ip", "link", "set", "lo", "up")
    return holder.pid


def network_of(pid: int) -> str:
    return os.readlink(f"/proc/{pid}/ns/net")


def serve_dns() -> None:
    """Answer DNS questions on the loopback from the table."""
    import socket

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 53))

    def loop() -> None:
        while True:
            data, client = sock.recvfrom(4096)
            question = dns.message.from_wire(data)
            asked = question.question[0]
            answer = dns.message.make_response(question)
            name, kind = asked.name.to_text().lower(), dns.rdatatype.to_text(asked.rdtype)
            if (name, kind) in RECORDS:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *RECORDS[name, kind]))
            elif not any(known == name for known, _ in RECORDS):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            sock.sendto(answer.to_wire(), client)

    threading.Thread(target=loop, daemon=True).start()


def until(what: str, true: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Wait for something; false, and a complaint, if it does not come about."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            print(f"in vain: {what}", file=sys.stderr)
            return False
        time.sleep(0.05)
    return True


def text_of(path: str) -> str:
    return Path(path).read_text(errors="replace") if Path(path).exists() else ""


def send(sender: str, recipient: str) -> str:
    """What the server says in the end to a message for the recipient."""
    try:
        with smtplib.SMTP("127.0.0.1", 25, local_hostname="laptop.test") as client:
            client.sendmail(
                sender, [recipient], f"From: {sender}\nTo: {recipient}\nSubject: for {recipient}\n\nHello.\n"
            )
            return "accepted"
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = error.recipients[recipient]
        return f"{code} {reply.decode()}"
    except (smtplib.SMTPException, OSError) as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    root, exim, configuration = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    dress_up(root, configuration)
    far = connect_far_host()
    serve_dns()
    received = SCRATCH / "received"
    received.touch()
    host = Path(__file__).with_name("far_host.py")
    subprocess.Popen(["nsenter", "-t", str(far), "--net", sys.executable, host, FAR, "25", received])
    seen: dict[str, object] = {"version": command(exim, "-bV").splitlines()[-1]}
    daemon = subprocess.Popen([exim, "-bdf"])
    until(
        "the server answers", lambda: send("x@laptop.test", "not an address") != "" and "refused" not in send("", "x")
    )
    log = f"/var/spool/{'exim' if configuration == 'example' else 'exim4'}/log/mainlog"
    seen["local"] = send("bob@elsewhere.test", "alice@home.test")
    seen["alias"] = send("bob@elsewhere.test", "postmaster@home.test")
    seen["unknown"] = send("bob@elsewhere.test", "stranger@home.test")
    seen["far"] = send("alice@home.test", "bob@elsewhere.test")
    seen["bouncing"] = send("alice@home.test", "nobody@elsewhere.test")
    subprocess.run([exim, "-i", "alice"], input="Subject: by command\n\nHello.\n", text=True, check=False, timeout=30)
    until(
        "alice has two messages, a bounce and one by command",
        lambda: text_of("/var/mail/alice").count("\nReturn-path:") >= 3,
    )
    until("the far host has one", lambda: "bob@elsewhere.test" in received.read_text())
    until("all is finished", lambda: command(exim, "-bpc").strip() == "0")
    seen["mailbox"] = text_of("/var/mail/alice")
    seen["mailbox_owner"] = Path("/var/mail/alice").stat().st_uid if Path("/var/mail/alice").exists() else None
    seen["received"] = received.read_text()
    seen["queue"] = command(exim, "-bpc").strip()
    daemon.terminate()
    seen["status"] = daemon.wait(timeout=20)
    seen["log"] = text_of(log)
    seen["panic"] = text_of(log.replace("mainlog", "paniclog"))
    print(json.dumps(seen))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="eximious-debian-") as folder:
        SCRATCH = Path(folder)
        command("mount", "-t", "tmpfs", "tmpfs", SCRATCH)
        SCRATCH.chmod(0o755)
        try:
            main()
        finally:
            command("umount", "-l", SCRATCH)
