"""One message in is one message, whatever line ends stand around a dot and however it travels."""

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
from tests.security.line_ends import ENDS, NO_END, PAIRS, text
from tests.security.place import Client, Says, hold, shared_server

OPTIONS = "pipelining_advertise_hosts = *\ntls_advertise_hosts = *\n"
EHLO = b"EHLO x\r\n"
ENVELOPE = (b"MAIL FROM:<s@b.test>\r\n", b"RCPT TO:<a@test.ex>\r\n")


def sends(client: Client, is_encrypted: bool, *packets: list[bytes]) -> Says:
    """A client that greets, perhaps begins TLS, and then sends packets, each of so many TLS records."""
    yield from client.ask(EHLO)
    if is_encrypted:
        yield from client.start_tls()
        yield from client.ask(EHLO)
    for packet in packets:
        yield from client.ask(*packet)


def packets_of(data: bytes, how: str) -> list[list[bytes]]:
    """The octets as they may travel: in one piece; one by one, each a packet and TLS record; in one packet, but each in
    a TLS record."""
    octets = [data[at : at + 1] for at in range(len(data))]
    match how:
        case "whole":
            return [[data]]
        case "records":
            return [octets]
        case _:
            return [[octet] for octet in octets]


def received(is_encrypted: bool, *packets: list[bytes]) -> list[tuple[str, bytes]]:
    """Senders and texts of what the server accepts from such a client."""
    there = shared_server(OPTIONS)
    client = Client()
    hold(there, sends(client, is_encrypted, *packets))
    return [(message.sender, body) for message, body in there.queue.messages]


WAYS = [("whole", False), ("whole", True), ("octets", False), ("octets", True), ("records", True)]


@pytest.mark.parametrize(("how", "is_encrypted"), WAYS)
@pytest.mark.parametrize(("before", "after"), NO_END)
def test_cve_2023_51766(before: str, after: str, how: str, is_encrypted: bool) -> None:
    """DATA: only CRLF . CRLF ends the text."""
    data = text(before, after) + b"\r\n.\r\n"
    if how == "whole":
        packets = [[b"".join(ENVELOPE) + b"DATA\r\n"], [data + b"QUIT\r\n"]]
    else:
        packets = [*([one] for one in ENVELOPE), [b"DATA\r\n"], *packets_of(data, how), [b"QUIT\r\n"]]
    ((sender, body),) = received(is_encrypted, *packets)
    assert sender == "s@b.test"
    assert body.endswith(b"\nSubject: smuggled\n\nhello\n")
    assert b"\r" not in body


@pytest.mark.parametrize(("how", "is_encrypted"), WAYS)
@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_cve_2023_51766_chunks(before: str, after: str, how: str, is_encrypted: bool) -> None:
    """BDAT: the size alone says where the text ends, a real end of DATA in it is text."""
    data = text(before, after)
    if how == "whole":
        packets = [[b"".join(ENVELOPE) + b"BDAT %d LAST\r\n%sQUIT\r\n" % (len(data), data)]]
    else:
        chunks = b"BDAT %d\r\n%sBDAT %d LAST\r\n%s" % (len(data) - 60, data[:-60], 60, data[-60:])
        packets = [*([one] for one in ENVELOPE), *packets_of(chunks, how), [b"QUIT\r\n"]]
    ((sender, body),) = received(is_encrypted, *packets)
    assert sender == "s@b.test"
    assert body.endswith(b"\nSubject: smuggled\n\nhello\n")
    assert b"\r" not in body


def batch(folder: Path, *pieces: bytes) -> list[tuple[str, bytes]]:
    """Senders and texts of what ``-bS`` accepts."""
    there = Server(folder)
    context = Context(there.config, there.services)
    context.client.is_local = True
    user = Submitter("joe", "Joe", 1000, 1000, address="joe@test.ex", is_trusted=True)
    Batch(context, user, MemoryStream(*pieces), "local-bsmtp").run()
    return [(message.sender, body) for message, body in there.queue.messages]


@pytest.mark.parametrize("is_octets", [False, True])
@pytest.mark.parametrize(("before", "after"), NO_END)
def test_cve_2023_51766_batch(before: str, after: str, is_octets: bool, tmp_path: Path) -> None:
    """``-bS``: a text whose first line ends with CRLF."""
    data = b"".join(ENVELOPE) + b"DATA\r\n" + text(before, after) + b"\r\n.\r\n"
    pieces = [data[at : at + 1] for at in range(len(data))] if is_octets else [data]
    ((sender, body),) = batch(tmp_path, *pieces)
    assert sender == "s@b.test"
    assert body.endswith(b"\nSubject: smuggled\n\nhello\n")


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_lines_of_files_end_with_lf(before: str, after: str, tmp_path: Path) -> None:
    """``-bS`` of a text whose first line ends with LF: LF, or CRLF, ends every line, and nothing else does."""
    data = text(before, after).replace(b"Subject: one\r\n\r\n", b"Subject: one\n\n")
    is_end = ENDS[before].endswith(b"\n") and ENDS[after].startswith((b"\n", b"\r\n"))
    found = batch(tmp_path, b"".join(ENVELOPE) + b"DATA\n" + data + b"\n.\n")
    assert [sender for sender, _ in found][:1] == ["s@b.test"]
    assert (b"smuggled" not in found[0][1]) is is_end


HEADERS_TOO = [b"Subject: one\r\n%sX: %s\r\n\r\nhello", b"%sSubject: one\r\nX: %s\r\n\r\nhello", b"\r\n%s\r\n%s"]


@pytest.mark.parametrize("form", HEADERS_TOO)
@pytest.mark.parametrize(("before", "after"), NO_END)
def test_cve_2023_51766_in_headers(before: str, after: str, form: bytes) -> None:
    """The same in the header section, at its beginning, and where the headers end."""
    there = text(before, after)[len(b"Subject: one\r\n\r\n") :]
    if form.startswith(b"%s") and b"\n" in there.split(b"MAIL")[0]:
        there = b"A: b\r\n" + there  # what is first says how lines end; that has tests of its own
    data = form % (there[:-5], b"end") + b"\r\n.\r\n"
    packets = [[b"".join(ENVELOPE) + b"DATA\r\n"], [data + b"QUIT\r\n"]]
    found = received(False, *packets)
    assert [sender for sender, _ in found] == ["s@b.test"]


@pytest.mark.slow
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.lists(st.sampled_from([b".", b"\r\n", b"\n", b"\r", b"\0", b"x", b"..", b"MAIL FROM:<e@b.test>"])),
    cuts=st.lists(st.integers(min_value=0, max_value=60), max_size=6),
)
def test_the_network_cuts_anywhere(body: list[bytes], cuts: list[int]) -> None:
    """What is stored, and what comes after it, does not depend on where packets end."""
    data = b"Subject: one\r\n\r\n" + b"".join(body) + b"\r\n.\r\n"
    begin = [[b"".join(ENVELOPE) + b"DATA\r\n"]]
    bounds = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [[data[a:b]] for a, b in itertools.pairwise(bounds)]
    assert received(False, *begin, [data]) == received(False, *begin, *pieces)
