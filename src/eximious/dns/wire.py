"""DNS messages as they are on the wire (RFC 1035): questions out, responses in.

A response is hostile until proved otherwise: every length is checked, compression pointers only go back, and a message
is refused as a whole (MalformedResponse) rather than read in part.
"""

from __future__ import annotations

import re
import struct
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any, Final

from eximious.dns.answer import Record

TYPES: Final = {
    "A": 1, "NS": 2, "MD": 3, "MF": 4, "CNAME": 5, "SOA": 6, "NULL": 10, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16,
    "RP": 17, "AFSDB": 18, "AAAA": 28, "LOC": 29, "SRV": 33, "NAPTR": 35, "CERT": 37, "DNAME": 39, "OPT": 41, "DS": 43,
    "SSHFP": 44, "RRSIG": 46, "NSEC": 47, "DNSKEY": 48, "NSEC3": 50, "TLSA": 52, "SMIMEA": 53, "OPENPGPKEY": 61,
    "SVCB": 64, "HTTPS": 65, "SPF": 99, "ANY": 255, "CAA": 257,
}  # fmt: skip
TYPE_NAMES: Final = {number: name for name, number in TYPES.items()}
IN: Final = 1

NOERROR: Final = 0
FORMERR: Final = 1
SERVFAIL: Final = 2
NXDOMAIN: Final = 3
NOTIMP: Final = 4
REFUSED: Final = 5
RCODES: Final = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}

_HEADER: Final = struct.Struct("!HHHHHH")
_QUESTION: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHiH")
_OPT: Final = struct.Struct("!BHHIH")
_QR: Final = 0x8000
_AA: Final = 0x0400
_TC: Final = 0x0200
_RD: Final = 0x0100
_AD: Final = 0x0020
_DO: Final = 0x8000
UDP_SIZE: Final = 1232  # octets of a UDP response we take: no fragments (DNS flag day 2020)
NAME_LIMIT: Final = 255  # octets of a name on the wire (RFC 1035 section 2.3.4)

_UNUSUAL: Final = re.compile(rb"[^0-9A-Za-z_-]")
_SPECIAL: Final = b'".;\\()@$'
_TOKEN: Final = re.compile(r"\\[0-9]{3}|\\.?|[^.\\]+|\.", re.DOTALL)


class MalformedResponse(ValueError):
    """What came is no DNS response."""


class BadName(ValueError):
    """A name that cannot be asked for: an empty or overlong label, too long as a whole."""


class Response:
    """A response taken apart. `question` is (name in lower case, type)."""

    __slots__ = (
        "additional",
        "answer",
        "authority",
        "id",
        "is_authentic",
        "is_authoritative",
        "is_truncated",
        "question",
        "rcode",
    )

    def __init__(self, id: int, flags: int) -> None:
        self.id = id
        self.rcode = flags & 15
        self.is_truncated = bool(flags & _TC)
        self.is_authoritative = bool(flags & _AA)
        self.is_authentic = bool(flags & _AD)
        self.question: tuple[str, str] = ("", "")
        self.answer: list[Record] = []
        self.authority: list[Record] = []
        self.additional: list[Record] = []


def encode_name(name: str) -> bytes:
    """A name on the wire. ``\\.`` and ``\\046`` are octets of a label, as in zone files. Raises BadName."""
    if name in ("", "."):
        return b"\0"
    if "\\" in name:
        labels = _unescaped_labels(name)
    else:
        labels = [label.encode("latin-1", "replace") for label in (name[:-1] if name[-1] == "." else name).split(".")]
    parts: list[bytes] = []
    for label in labels:
        if not 0 < len(label) < 64:
            raise BadName(name)
        parts.append(bytes((len(label),)))
        parts.append(label)
    parts.append(b"\0")
    wire = b"".join(parts)
    if len(wire) > NAME_LIMIT:
        raise BadName(name)
    return wire


def _unescaped_labels(name: str) -> list[bytes]:
    labels = [""]
    for token in _TOKEN.findall(name):
        if token == ".":
            labels.append("")
        elif token[0] == "\\":
            labels[-1] += chr(int(token[1:]) & 255) if len(token) == 4 else token[1:]
        else:
            labels[-1] += token
    if not labels[-1]:
        labels.pop()
    return [label.encode("latin-1", "replace") for label in labels]


def encode_query(id: int, name: str, type: str, *, edns: bool, dnssec_ok: bool) -> bytes:
    """A recursive question. `dnssec_ok` asks for validation (and for signatures, which nobody here reads)."""
    flags = _RD | (_AD if dnssec_ok else 0)
    question = encode_name(name) + _QUESTION.pack(TYPES[type], IN)
    header = _HEADER.pack(id, flags, 1, 0, 0, 1 if edns else 0)
    if not edns:
        return header + question
    return header + question + _OPT.pack(0, TYPES["OPT"], UDP_SIZE, _DO if dnssec_ok else 0, 0)


def decode(data: bytes) -> Response:
    """The response in a message. Raises MalformedResponse."""
    try:
        return _decode(data)
    except (struct.error, IndexError) as error:
        raise MalformedResponse(str(error)) from None


def _decode(data: bytes) -> Response:
    id, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(data)
    if not flags & _QR or questions > 1:
        raise MalformedResponse("not a response")
    response = Response(id, flags)
    position = 12
    if questions:
        name, position = decode_name(data, position)
        number, _ = _QUESTION.unpack_from(data, position)
        position += 4
        response.question = (name.lower(), type_name(number))
    if response.is_truncated:
        return response
    position = _decode_section(data, position, answers, response.answer)
    position = _decode_section(data, position, authorities, response.authority)
    _decode_section(data, position, additionals, response.additional)
    for record in response.additional:
        if record.type == "OPT":
            response.rcode |= (record.ttl >> 20) & 0xFF0
    return response


def type_name(number: int) -> str:
    """``MX`` for 15; ``TYPE1234`` for what has no name here."""
    return TYPE_NAMES.get(number) or f"TYPE{number}"


def _decode_section(data: bytes, position: int, count: int, records: list[Record]) -> int:
    size = len(data)
    for _ in range(count):
        name, position = decode_name(data, position)
        number, _class, ttl, length = _RECORD.unpack_from(data, position)
        position += 10
        end = position + length
        if end > size:
            raise MalformedResponse("record goes over the end")
        decoder = _DECODERS.get(number)
        content = data[position:end] if decoder is None else decoder(data, position, end)
        if number != 41 and ttl < 0:
            ttl = 0  # RFC 2181 section 8
        records.append(Record(name, type_name(number), ttl, content))
        position = end
    return position


def decode_name(data: bytes, position: int) -> tuple[str, int]:
    """A name, written as people write names, without the final dot ("." for the root), and what follows it.

    Octets that have a meaning in zone files or that cannot be printed are escaped.
    """
    labels: list[str] = []
    after = -1
    total = 0
    limit = position
    while True:
        length = data[position]
        if length >= 0xC0:
            if after < 0:
                after = position + 2
            position = ((length & 0x3F) << 8) | data[position + 1]
            if position >= limit:
                raise MalformedResponse("compression pointer does not go back")
            limit = position
            continue
        position += 1
        if length == 0:
            break
        if length > 63:
            raise MalformedResponse("label of an unknown kind")
        total += length + 1
        label = data[position : position + length]
        position += length
        if total >= NAME_LIMIT or len(label) < length:
            raise MalformedResponse("name is too long")
        labels.append(label.decode("ascii") if not _UNUSUAL.search(label) else _escaped(label))
    return ".".join(labels) or ".", (position if after < 0 else after)


def _escaped(label: bytes) -> str:
    parts: list[str] = []
    for octet in label:
        if octet in _SPECIAL:
            parts.append("\\" + chr(octet))
        elif 0x20 < octet < 0x7F:
            parts.append(chr(octet))
        else:
            parts.append(f"\\{octet:03}")
    return "".join(parts)


# How the data of each type is read. Each gets the whole message, since names in it may be compressed.


def _address4(data: bytes, start: int, end: int) -> str:
    if end - start != 4:
        raise MalformedResponse("A record of the wrong length")
    return inet_ntop(AF_INET, data[start:end])


def _address6(data: bytes, start: int, end: int) -> str:
    if end - start != 16:
        raise MalformedResponse("AAAA record of the wrong length")
    return inet_ntop(AF_INET6, data[start:end])


def _name(data: bytes, start: int, end: int) -> str:
    name, after = decode_name(data, start)
    if after > end:
        raise MalformedResponse("name goes over the record's end")
    return name


def _mx(data: bytes, start: int, end: int) -> tuple[int, str]:
    return (data[start] << 8 | data[start + 1], _name(data, start + 2, end))


def _srv(data: bytes, start: int, end: int) -> tuple[int, int, int, str]:
    return (*struct.unpack_from("!HHH", data, start), _name(data, start + 6, end))


def _soa(data: bytes, start: int, end: int) -> tuple[Any, ...]:
    mname, position = decode_name(data, start)
    rname, position = decode_name(data, position)
    if position + 20 > end:
        raise MalformedResponse("SOA record is too short")
    return (mname, rname, *struct.unpack_from("!5I", data, position))


def _txt(data: bytes, start: int, end: int) -> tuple[bytes, ...]:
    strings: list[bytes] = []
    while start < end:
        after = start + 1 + data[start]
        if after > end:
            raise MalformedResponse("string goes over the record's end")
        strings.append(data[start + 1 : after])
        start = after
    return tuple(strings)


def _tlsa(data: bytes, start: int, end: int) -> tuple[int, int, int, bytes]:
    if end - start < 3:
        raise MalformedResponse("TLSA record is too short")
    return (data[start], data[start + 1], data[start + 2], data[start + 3 : end])


def _caa(data: bytes, start: int, end: int) -> tuple[int, str, bytes]:
    after = start + 2 + data[start + 1]
    if after > end:
        raise MalformedResponse("CAA record is too short")
    return (data[start], data[start + 2 : after].decode("latin-1"), data[after:end])


_DECODERS: Final = {
    TYPES["A"]: _address4,
    TYPES["AAAA"]: _address6,
    TYPES["NS"]: _name,
    TYPES["CNAME"]: _name,
    TYPES["DNAME"]: _name,
    TYPES["PTR"]: _name,
    TYPES["MX"]: _mx,
    TYPES["SRV"]: _srv,
    TYPES["SOA"]: _soa,
    TYPES["TXT"]: _txt,
    TYPES["SPF"]: _txt,
    TYPES["TLSA"]: _tlsa,
    TYPES["CAA"]: _caa,
}
