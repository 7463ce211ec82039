"""One message out is one message, whatever line ends stand around a dot in the spool: to every kind of receiver."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.smtp.sending import TextSender
from eximious.spool.message import Header
from tests.deliver.place import Place
from tests.security.line_ends import ENDS, EVERYTHING, PAIRS
from tests.security.test_smuggling import batch
from tests.send.servers import ScriptedServer
from tests.send.test_delivery import CHUNKED, PLAIN, ROUTERS
from tests.transports.test_local_transports import LmtpServer

MakePlace = Callable[..., Place]
HEADERS = [Header("Received: here\n", "P"), Header("Subject: a\r.\rMAIL FROM:<evil@b.test>\r.\n .\n\t.\n")]
ACCEPT = "r:\n  driver = accept\n  transport = t\n"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[MakePlace]:
    made: list[Place] = []

    def make(transport: str, routers: str = ACCEPT) -> Place:
        text = f"t:\n  driver = {transport}\n".replace("FOLDER", str(tmp_path))
        made.append(Place(tmp_path, routers=routers, transports=text, retry="* * F,1h,10m"))
        return made[-1]

    yield make
    for each in made:
        each.close()


def is_one_message(octets: bytes) -> bool:
    """True if the octets after DATA have one end, at their end, for every reader, however generous."""
    lenient = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return octets.endswith(b"\r\n.\r\n") and lenient.count(b"\n.\n") == 1 and has_whole_line_ends(octets)


def has_whole_line_ends(octets: bytes) -> bool:
    """True if all CR and LF are parts of CRLF."""
    rest = octets.replace(b"\r\n", b"")
    return b"\r" not in rest and b"\n" not in rest


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_cve_2023_51766_when_sending(before: str, after: str, is_split: bool) -> None:
    text = b"X: y\n\nbody" + ENDS[before] + b"." + ENDS[after] + b"more"
    sender = TextSender()
    pieces = [text[at : at + 1] for at in range(len(text))] if is_split else [text]
    assert is_one_message(b"".join(sender.send(piece) for piece in pieces) + sender.finish())


@pytest.mark.slow
@given(st.lists(st.lists(st.sampled_from([b"\r", b"\n", b".", b"x"])).map(b"".join)))
def test_all_that_can_be_sent(pieces: list[bytes]) -> None:
    """Line ends and dots in any order and in any pieces, stuffed or in chunks."""
    sender, chunks = TextSender(), TextSender(stuffs_dots=False)
    assert is_one_message(b"\r\n" + b"".join(map(sender.send, pieces)) + sender.finish())
    assert has_whole_line_ends(b"".join(map(chunks.send, pieces)) + chunks.finish())


@pytest.mark.parametrize("script", [PLAIN, CHUNKED], ids=["DATA", "BDAT"])
@pytest.mark.parametrize("options", ["", "headers_add = X: a\\n.\\nb\\r.\\rc", "max_rcpt = 1\n  return_path_add"])
def test_cve_2023_51766_smtp(script: str, options: str, place: MakePlace) -> None:
    """The smtp transport, as DATA and as a chunk whose size is what is sent."""
    with ScriptedServer(script) as far:
        there = place(f"smtp\n  {options}", ROUTERS.format(hosts=f"127.0.0.1::{far.port}").replace("= smtp", "= t"))
        there.send("a@far.example", text=EVERYTHING, headers=HEADERS)
    (octets,) = far.texts
    assert is_one_message(octets) if script is PLAIN else has_whole_line_ends(octets)
    assert octets.count(b"evil") == len(PAIRS) + 1
    assert "Completed" in there.log


def test_cve_2023_51766_lmtp(place: MakePlace, tmp_path: Path) -> None:
    there = place("lmtp\n  socket = FOLDER/socket")
    server = LmtpServer(tmp_path / "socket", "220 hi", "250 lhlo", "250 mail", "250 a", "354 go", "250 done")
    there.send("a@test.ex", text=EVERYTHING, headers=HEADERS)
    heard = server.close().encode("latin-1")
    _, _, text = heard.partition(b"DATA\r\n")
    assert is_one_message(text.removesuffix(b"QUIT\r\n"))
    assert text.count(b"evil") == len(PAIRS) + 1


@pytest.mark.parametrize(
    "kind", ["appendfile\n  file = FOLDER/batch\n  delivery_date_add", "pipe\n  command = /usr/bin/tee FOLDER/batch"]
)
@pytest.mark.parametrize("is_crlf", [False, True])
def test_cve_2023_51766_batches(kind: str, is_crlf: bool, place: MakePlace, tmp_path: Path) -> None:
    """``use_bsmtp``: what is written is a batch of one message when it is read with ``-bS``."""
    there = place(f"{kind}\n  use_bsmtp\n  use_crlf = {str(is_crlf).lower()}")
    there.send("a@test.ex", text=EVERYTHING, headers=HEADERS)
    written = (tmp_path / "batch").read_bytes()
    assert not is_crlf or has_whole_line_ends(written)
    (tmp_path / "again").mkdir()
    ((sender, body),) = batch(tmp_path / "again", written)
    assert sender == "s@sender.example"
    assert body.count(b"evil") >= len(PAIRS)


def test_cve_2023_51766_queuefile(place: MakePlace, tmp_path: Path) -> None:
    """A copy in spool format is the message; another server that takes it up sends one message."""
    (tmp_path / "copies").mkdir()
    there = place("queuefile\n  directory = FOLDER/copies")
    message_id = there.send("a@far.example", text=EVERYTHING, headers=HEADERS)
    (tmp_path / "other").mkdir()
    with ScriptedServer(PLAIN) as far:
        routers = ROUTERS.format(hosts=f"127.0.0.1::{far.port}")
        other = Place(tmp_path / "other", routers=routers, transports="smtp:\n  driver = smtp\n")
        (tmp_path / "other" / "spool" / "input").mkdir(parents=True)
        for path in (tmp_path / "copies").iterdir():
            shutil.move(path, tmp_path / "other" / "spool" / "input")
        assert other.services.spool.list_ids() == [message_id]
        other.deliver(message_id)
        other.close()
    (octets,) = far.texts
    assert is_one_message(octets)
    assert octets.count(b"evil") == len(PAIRS) + 1


# --- commands ---------------------------------------------------------------------------------------------------------

INJECTED = ["\r\nRCPT TO:<evil@b.test>", "\nDATA\n", "\r.\r", "\0x", "\r\n.\r\nQUIT"]


@pytest.mark.parametrize("end", INJECTED)
def test_a_line_end_in_an_address_is_no_command(end: str, place: MakePlace) -> None:
    """Addresses of the spool are not believed to be lines: one command is one line."""
    with ScriptedServer(PLAIN.replace("a@far.example>", "a").replace("s@sender.example>", "s")) as far:
        there = place("smtp", ROUTERS.format(hosts=f"127.0.0.1::{far.port}").replace("= smtp", "= t"))
        message_id = there.queue("a@far.example", text=EVERYTHING)
        claimed = there.services.spool.claim(message_id)
        assert claimed is not None
        message: Any = claimed.message
        message.sender = f"s{end}@sender.example"
        message.recipients[0].address = f"a{end}@far.example"
        from eximious.deliver.message import deliver_claimed

        deliver_claimed(claimed, there.services)
        there.services.connections.close()
    assert len(far.heard) == 5, far.heard
    assert [line.split(":")[0].split(" ")[0] for line in far.heard] == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert os.linesep not in "".join(far.heard)
