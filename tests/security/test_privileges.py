"""Rights: who may have what done in whose name, and what of the caller's surroundings reaches who has them."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eximious.daemon import privilege
from eximious.daemon.environment import clean
from eximious.deliver.local import become
from eximious.errors import ExpandError
from eximious.expand.conditions import pam
from eximious.transports.job import Identity
from tests.deliver.place import Place
from tests.end_to_end.server import EXIM, Server
from tests.expand.context import make_context

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root")

ROOTS_FILE = """
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  file = {folder}/roots
  user = root
  group = root
"""


@pytest.fixture
def place() -> Iterator[Server]:
    there = Server(ROOTS_FILE)
    yield there
    there.close()


def through_wrapper(uid: int, *words: str, text: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as a set-user-id wrapper of root's does that this user starts."""
    return subprocess.run(
        [EXIM, *words],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: os.setresuid(uid, 0, 0),
        **options,
    )


@needs_root
@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["-DX=y"]])
@pytest.mark.parametrize(
    ("user", "owner"), [("mail", "mail"), ("mail", "root"), ("nobody", "nobody"), ("nobody", "root")]
)
def test_cve_2010_4345(user: str, owner: str, words: list[str], place: Server) -> None:
    """A configuration of the caller's choice is never used with root's rights, whoever the caller is."""
    own = place.folder / "own.conf"
    own.write_text(place.config.read_text().replace(f"exim_user = {place.user}", "exim_user = root"))
    shutil.chown(own, owner)
    uid = pwd.getpwnam(user).pw_uid
    words = ["-C", str(own), *words]
    through_wrapper(uid, *words, "-odi", "-oem", "x@mail.test", text="Subject: x\n\nx\n")
    through_wrapper(uid, *words, "-qff")
    assert not (place.folder / "roots").exists()
    for path in place.spool.rglob("*"):
        assert path.stat().st_uid != 0, path


@pytest.mark.parametrize("turn", [lambda: become(Identity(12345, 12345, ())), lambda: privilege.become(12345, 12345)])
def test_cve_2011_0017(turn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that says it has changed the user, and has not: the process does not go on."""
    for call in ("setgroups", "setresgid", "setresuid"):
        monkeypatch.setattr(os, call, lambda *_: None)
    with pytest.raises((RuntimeError, privilege.PrivilegeError)):
        turn()


def test_cve_2016_1531() -> None:
    """The caller's environment does not reach what is run."""
    main = make_context().config.main
    environment = {"PERL5OPT": "-Mevil", "LD_PRELOAD": "/x", "PATH": "/x", "TZ": "UTC"}
    clean(main, environment)
    assert not {"PERL5OPT", "LD_PRELOAD", "PATH"} & set(environment)


WHERE = """
import os, sys
from eximious.exim import options, start
start.prepare(options.parse(["exim", *sys.argv[1:]]), "bs")
print(os.getcwd())
"""


@pytest.mark.slow
def test_cve_2017_10140(place: Server, tmp_path: Path) -> None:
    """What lies in the folder that a command is called from is neither read nor run."""
    (tmp_path / "DB_CONFIG").write_text("set_data_dir /nonexistent\n")
    for module in ("ssl", "asyncio", "dns", "lmdb", "sitecustomize", "eximious", "random"):
        (tmp_path / f"{module}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")
    command = [EXIM, "-C", str(place.config), "-bs"]
    said = "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@mail.test>\r\nQUIT\r\n"
    done = subprocess.run(command, input=said, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert "250 Accepted" in done.stdout
    assert not (tmp_path / "run").exists()
    command = [sys.executable, "-P", "-c", WHERE, *command[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{place.spool}\n"


PIPE = """
listing:
  driver = pipe
  command = /bin/ls /proc/self/fd
  return_output
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_cve_2020_28012(tmp_path: Path) -> None:
    """A command that a pipe runs has its standard descriptors and no other: no privileged pipe, no spool file."""
    left_open = os.open("/", os.O_RDONLY)
    os.set_inheritable(left_open, True)
    try:
        place = Place(tmp_path, routers="r:\n  driver = accept\n  transport = listing\n", transports=PIPE)
        place.send("a@x.example")
        place.close()
    finally:
        os.close(left_open)
    (bounce,) = place.submitted()
    listed = {line.strip() for line in bounce.body.splitlines() if line.strip().isdigit()}
    assert listed == {"0", "1", "2", "3"}  # 3 is the folder that ls reads


# --- PAM --------------------------------------------------------------------------------------------------------------


class Question(ctypes.Structure):
    """A pam_message."""

    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Modules:
    """A libpam that asks so many questions of a style at once, and says yes if all were answered."""

    def __init__(self, count: int, style: int) -> None:
        self.count = count
        self.style = style
        self.conversation: Any = None

    def pam_start(self, service: bytes, user: bytes, conversation: Any, handle: Any) -> int:
        self.conversation = conversation._obj
        return 0

    def pam_authenticate(self, handle: Any, flags: int) -> int:
        function = self.conversation.function
        questions = [Question(self.style, b"?") for _ in range(self.count)]
        pointers = (ctypes.POINTER(Question) * max(1, self.count))(*map(ctypes.pointer, questions))
        answers = ctypes.c_void_p()
        kinds = function.argtypes
        status: int = function(
            self.count, ctypes.cast(pointers, kinds[1]), ctypes.cast(ctypes.pointer(answers), kinds[2]), None
        )
        return status

    def pam_acct_mgmt(self, handle: Any, flags: int) -> int:
        return 0

    def pam_end(self, handle: Any, status: int) -> int:
        return 0


PAM = [
    # questions, their style, the list; yes, no, or an error
    (1, 1, "user:secret", True),
    (2, 2, "user:one:two", True),
    (3, 1, "user:one:two", None),
    (1000, 1, "user:one", None),
    (1000, 4, "user:one", True),
    (0, 1, "user", True),
    (1, -1, "user", True),
    (1, 1, "user", None),
    (1, 1, "", False),
    (1, 1, ":secret", False),
]


@pytest.mark.parametrize(("count", "style", "text", "expected"), PAM)
def test_cve_2022_37451(
    count: int, style: int, text: str, expected: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAM asks more than there are answers, or nothing, or what is no question."""
    monkeypatch.setattr(pam, "_library", lambda: Modules(count, style))
    if expected is None:
        with pytest.raises(ExpandError, match="PAM error 19"):
            pam.pam(text)
    else:
        assert pam.pam(text) is expected
