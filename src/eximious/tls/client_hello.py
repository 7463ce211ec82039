"""The server name in a ClientHello, read before the handshake begins: policy may take its time to choose a certificate.

(RFC 8446 section 4.1.2, RFC 6066 section 3.) OpenSSL still reads the same octets and has the last word about them.
"""

from __future__ import annotations

from typing import Final

HANDSHAKE_RECORD: Final = 22
CLIENT_HELLO: Final = 1
SERVER_NAME: Final = 0
HELLO_LIMIT: Final = 65536  # octets; no honest ClientHello is longer


def server_name(data: bytes) -> str | None:
    """The name that the client asks for, "" if it asks for none or speaks no TLS; None until more octets come."""
    try:
        hello = _message(data)
        return hello if hello is None else _name_in(hello)
    except IndexError:
        return ""  # lengths that contradict each other


def _message(data: bytes) -> bytes | None:
    """The body of the first handshake message, put together from its records; None while incomplete."""
    message = b""
    position = 0
    while True:
        if position + 5 > len(data):
            return None if len(data) < HELLO_LIMIT and (not data or data[0] == HANDSHAKE_RECORD) else b""
        if data[position] != HANDSHAKE_RECORD:
            return b""
        length = data[position + 3] << 8 | data[position + 4]
        message += data[position + 5 : position + 5 + length]
        position += 5 + length
        if len(message) >= 4:
            if message[0] != CLIENT_HELLO:
                return b""
            size = message[1] << 16 | message[2] << 8 | message[3]
            if size > HELLO_LIMIT:
                return b""
            if len(message) >= 4 + size:
                return message[4 : 4 + size]
        if position > len(data):
            return None


def _name_in(hello: bytes) -> str:
    if not hello:
        return ""
    position = 34  # version, random
    position += 1 + hello[position]  # session id
    position += 2 + (hello[position] << 8 | hello[position + 1])  # cipher suites
    position += 1 + hello[position]  # compression
    end = len(hello)
    position += 2
    while position + 4 <= end:
        kind = hello[position] << 8 | hello[position + 1]
        length = hello[position + 2] << 8 | hello[position + 3]
        position += 4
        if kind == SERVER_NAME:
            # list length (2), name type (1), name length (2)
            size = hello[position + 3] << 8 | hello[position + 4]
            return hello[position + 5 : min(position + 5 + size, end)].decode("latin-1")
        position += length
    return ""
