"""Damaged DNS responses, PROXY headers, ClientHellos, SMTP replies, addresses: read, or refused in the documented way.

python fuzz/wire_formats.py [--seconds 60] [--seed N]
"""

from __future__ import annotations

from contextlib import suppress

import mutation

from eximious.address.header_list import parse_list
from eximious.address.parse import SENDER, AddressError, parse
from eximious.dns import wire
from eximious.proxyprotocol.parse import ProxyError
from eximious.proxyprotocol.parse import parse as parse_proxy
from eximious.smtp.reply import MalformedReply, ReplyReader
from eximious.tls.client_hello import server_name

QUESTION = b"\x07example\x03org\0\0\x0f\0\1"
MX = b"\xc0\x0c\0\x0f\0\1\0\0\1\x2c\0\x09\0\x0a\4mail\xc0\x0c"
TXT = b"\xc0\x0c\0\x10\0\1\0\0\1\x2c\0\x05\4abcd"
SOA = b"\xc0\x0c\0\6\0\1\0\0\1\x2c\0\x18\xc0\x0c\xc0\x0c" + b"\0\0\0\1" * 5

SEEDS = [
    b"\x12\x34\x81\x80\0\1\0\2\0\1\0\0" + QUESTION + MX + TXT + SOA,
    b"PROXY TCP4 192.0.2.1 192.0.2.2 64000 25\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x1a\x7f\0\0\2\x7f\2\2\2\xc2\x95\4\1\1\0\4smtp\3\0\4\0\0\0\0",
    b"\x16\x03\x01\0\x40\x01\0\0\x3c\x03\x03" + b"r" * 32 + b"\0\0\2\x13\1\1\0\0\x11\0\0\0\x0d\0\x0b\0\0\x08mx.a.org",
    b"250-mx.example\r\n250-SIZE 10\r\n250 HELP\r\n",
    b'"J. Smith" <@a,@b:"x y"@example.org>, group: a@b (c(d)), c@d;, e@[192.0.2.1]',
]


def check(data: bytes) -> bool:
    """Nothing but the documented errors."""
    good = False
    with suppress(wire.MalformedResponse):
        wire.decode(data)
        good = True
    with suppress(ProxyError):
        good = parse_proxy(data) is not None or good
    good = bool(server_name(data)) or good
    reader = ReplyReader()
    reader.receive(data)
    with suppress(MalformedReply):
        good = reader.next_reply() is not None or good
    text = data.decode("latin-1")
    with suppress(AddressError):
        address = parse(text, SENDER).address
        assert not address or parse(address, SENDER).address == address
        good = True
    return any(item.parsed for item in parse_list(text)) or good


if __name__ == "__main__":
    mutation.run(__doc__, SEEDS, check)
