"""Files of conversations, each with its configuration: what the client says, what the server says, what is logged.

::

    == name
    an option = of the configuration

    begin acl
    ...
    --
    C: EHLO client.test
    S: 250 ...
    main: what the main log gets
    main reject: what both get

Lines of the client that follow each other are sent in one piece. They may contain Python's escapes; a line has CRLF at
its end unless it ends with ``\\c``. The log is compared if the conversation has a line of it, or ``no log``. ``hasty``
before ``--`` stands for a client that does not wait for answers, ``zone:`` begins lines of a DNS zone, ``from:`` gives
the client's address. That the client goes in the end need not be said.
"""

from __future__ import annotations

import re
from difflib import unified_diff
from pathlib import Path

from tests.receive.place import CLIENT, Server

FAREWELL = "S: 421 mail.test lost input connection"  # to clients that go without QUIT
GONE = "main: unexpected disconnection"
LOG_LINE = re.compile(r"(?:main|reject|panic)(?: (?:reject|panic))*: ")


class Dialogue:
    """One conversation of a file."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        before, _, after = text.partition("\n--\n")
        self.zone = ""
        self.is_hasty = False
        self.address = CLIENT
        kept: list[str] = []
        for line in before.split("\n"):
            if line.startswith("zone: "):
                self.zone += line.removeprefix("zone: ") + "\n"
            elif line == "hasty":
                self.is_hasty = True
            elif line.startswith("from: "):
                self.address = line.removeprefix("from: ")
            else:
                kept.append(line)
        self.configuration = "\n".join(kept).strip("\n") + "\n"
        self.spoken: list[str] = []
        self.logged: list[str] | None = None
        for line in after.strip("\n").split("\n"):
            if line == "no log" or LOG_LINE.match(line):
                self.logged = (self.logged or []) + [line] * (line != "no log")
            else:
                assert line.startswith(("C: ", "S: ")), line
                self.spoken.append(line)

    @property
    def pieces(self) -> list[bytes]:
        """What the client sends, piece by piece."""
        pieces: list[bytes] = []
        was_client = False
        for line in self.spoken:
            is_client = line.startswith("C: ")
            if is_client:
                octets = octets_of(line[3:])
                if was_client:
                    pieces[-1] += octets
                else:
                    pieces.append(octets)
            was_client = is_client
        return pieces

    def check(self, folder: Path) -> None:
        """Hold the conversation, and compare."""
        server = Server(folder, self.configuration, zone=self.zone)
        found = server.transcript(*self.pieces, address=self.address, is_hasty=self.is_hasty)
        expected = [line for line in self.spoken if line.startswith("S: ")]
        said = [line for line in found if line.startswith("S: ") and (line != FAREWELL or line in expected)]
        compare(said, expected)
        if self.logged is not None:
            logged = [line for line in server.logs.lines if FAREWELL in expected or not line.startswith(GONE)]
            compare(logged, self.logged)


def compare(found: list[str], expected: list[str]) -> None:
    """Fail, with the differences, unless the lines are the same but for ids and times."""
    found, expected = masked(found), masked(expected)
    assert found == expected, "\n".join(["", *unified_diff(expected, found, "expected", "found", lineterm="")])


def octets_of(text: str) -> bytes:
    """The octets of a line of the client."""
    end = b"\r\n"
    if text.endswith("\\c"):
        text, end = text[:-2], b""
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1") + end


def masked(lines: list[str]) -> list[str]:
    """The lines with ids of messages and times as marks."""
    text = "\n".join(lines)
    text = re.sub(r"\b[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}\b", "<id>", text)
    text = re.sub(r"\bD=[0-9.]+m?s\b", "D=<time>", text)
    text = re.sub(r"\bS=\d+\b", "S=<size>", text)
    return text.split("\n")


def dialogues(folder: Path) -> list[Dialogue]:
    """All conversations in the files of a folder."""
    found: list[Dialogue] = []
    for path in sorted(folder.glob("*.txt")):
        text = path.read_text("latin-1")
        for part in ("\n" + text).split("\n== ")[1:]:
            name, _, rest = part.partition("\n")
            found.append(Dialogue(f"{path.stem}: {name.strip()}", "\n" + rest))
    return found
