"""One message in, one message out, whatever line ends stand around a dot (CVE-2023-51764, -51765, -51766)."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eximious.context import Context
from eximious.net.memory import MemoryStream
from eximious.receive.batch import Batch
from eximious.receive.submitter import Submitter
from tests.receive.place import Server

ENDS = {"CRLF": b"\r\n", "LF": b"\n", "CR": b"\r", "CRCRLF": b"\r\r\n", "NUL": b"\0", "nothing": b""}
SMUGGLED = b"MAIL FROM:<evil@b.test>\r\nRCPT TO:<a@test.ex>\r\nDATA\r\nSubject: smuggled\r\n\r\nhello\r\n.\r\n"
CONFIGURATION = "acl_smtp_rcpt = accept\nchunking_advertise_hosts = *\npipelining_advertise_hosts = *\n"
BEFORE_AND_AFTER = [
    (before, after)
    for before, after in itertools.product(ENDS, ENDS)
    # CR CR LF has CRLF at its end, and so is before the dot what it must be; after it, it is not.
    if before not in ("CRLF", "CRCRLF") or after != "CRLF"
]


def text(before: str, after: str) -> bytes:
    """A message with what may be taken for its end, and what may then be taken for commands."""
    return b"Subject: one\r\n\r\nfirst" + ENDS[before] + b"." + ENDS[after] + SMUGGLED


def pieces(data: bytes, how: str) -> list[bytes]:
    """The octets as the network may bring them."""
    if how == "whole":
        return [data]
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize("how", ["whole", "octets"])
@pytest.mark.parametrize(("before", "after"), BEFORE_AND_AFTER)
def test_cve_2023_51766_data(before: str, after: str, how: str, tmp_path: Path) -> None:
    server = Server(tmp_path, CONFIGURATION)
    dialogue = [b"EHLO x\r\n", b"MAIL FROM:<s@b.test>\r\n", b"RCPT TO:<a@test.ex>\r\n", b"DATA\r\n"]
    server.talk(*dialogue, *pieces(text(before, after), how), is_hasty=False)
    ((message, body),) = server.queue.messages
    assert message.sender == "s@b.test"
    assert b"smuggled" in body
    assert b"\r" not in body


@pytest.mark.parametrize("how", ["whole", "octets"])
@pytest.mark.parametrize(("before", "after"), list(itertools.product(ENDS, ENDS)))
def test_cve_2023_51766_chunks(before: str, after: str, how: str, tmp_path: Path) -> None:
    """The size alone says where a chunk ends."""
    server = Server(tmp_path, CONFIGURATION)
    data = text(before, after)
    dialogue = [b"EHLO x\r\n", b"MAIL FROM:<s@b.test>\r\nRCPT TO:<a@test.ex>\r\n"]
    server.talk(*dialogue, *pieces(b"BDAT %d LAST\r\n%s" % (len(data), data), how))
    ((message, body),) = server.queue.messages
    assert message.sender == "s@b.test"
    assert b"smuggled" in body
    assert b"\r" not in body


@pytest.mark.parametrize(("before", "after"), BEFORE_AND_AFTER)
def test_cve_2023_51766_batch(before: str, after: str, tmp_path: Path) -> None:
    """``-bS``: the lines of files may end with LF, but then all do."""
    server = Server(tmp_path, CONFIGURATION)
    context = Context(server.config, server.services)
    context.client.is_local = True
    user = Submitter("joe", "Joe", 1000, 1000, address="joe@test.ex", is_trusted=True)
    data = b"MAIL FROM:<s@b.test>\r\nRCPT TO:<a@test.ex>\r\nDATA\r\n" + text(before, after)
    Batch(context, user, MemoryStream(data), "local-bsmtp").run()
    ((message, body),) = server.queue.messages
    assert message.sender == "s@b.test"
    assert b"smuggled" in body


@pytest.mark.slow
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.lists(st.sampled_from([b".", b"\r\n", b"\n", b"\r", b"\0", b"x", b"..", b"MAIL FROM:<e@b.test>"])),
    cuts=st.lists(st.integers(min_value=0, max_value=60), max_size=6),
)
def test_the_network_cuts_anywhere(
    body: list[bytes], cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What is stored, and what comes after it, does not depend on where packets end."""
    data = b"Subject: one\r\n\r\n" + b"".join(body)
    once = received(tmp_path_factory.mktemp("a"), [data])
    bounds = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    again = received(tmp_path_factory.mktemp("a"), [data[a:b] for a, b in itertools.pairwise(bounds)])
    assert once == again


def received(folder: Path, text_pieces: list[bytes]) -> list[bytes]:
    """The bodies that are stored when this is sent after DATA."""
    server = Server(folder, CONFIGURATION)
    server.talk(
        b"HELO x\r\n", b"MAIL FROM:<s@b.test>\r\n", b"RCPT TO:<a@test.ex>\r\n", b"DATA\r\n", *text_pieces, b"\r\n.\r\n"
    )
    return [body for _, body in server.queue.messages]


def test_after_close_notify_nothing_is_a_command(tmp_path: Path) -> None:
    """The end of the input ends the session: nothing is made of what was left over (CVE-2026-45185)."""
    server = Server(tmp_path, CONFIGURATION)
    sent = server.talk(
        b"EHLO x\r\n",
        b"MAIL FROM:<s@b.test>\r\n",
        b"RCPT TO:<a@test.ex>\r\n",
        b"BDAT 100\r\nSubject: x\r\n\r\nNOOP\r\n",
    )
    assert not server.queue.messages
    assert sent.endswith("421 Lost incoming connection\r\n")
