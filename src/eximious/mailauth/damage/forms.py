"""Forms that a header field may have had before a host on the way changed it.

Each function takes a field's value (what follows the colon, octets) and gives other values with what would have been
done to them. They are guesses: who asks tries each against the signature.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Callable, Iterator
from typing import Final

from eximious.mailauth.canonical import relaxed_value

Forms = Iterator[tuple[str, bytes]]

TAG_REMEDY: Final = "have the list or filter leave the subject alone, or sign anew or seal with ARC after it"
RELAY_REMEDY: Final = "have the host that rewrites the field stop it, or sign after it"
FOLD_REMEDY: Final = "sign with c=relaxed for the header, which does not mind white space"

_FOLD: Final = re.compile(rb"\r\n(?=[ \t])")
_TAG: Final = re.compile(rb"\[[^\]\r\n]{1,80}\][ \t]*|\*{2,}[^*\r\n]{1,80}\*{2,}[ \t]*|\{[^}\r\n]{1,80}\}[ \t]*")
_WORD: Final = re.compile(rb"=\?([!-~]{1,40}?)(?:\*[^?]*)?\?([BbQq])\?([!->@-~]*)\?=")
_BETWEEN_WORDS: Final = re.compile(rb"(\?=)[ \t\r\n]+(?==\?)")
_NOT_ASCII: Final = re.compile(rb"[^\x00-\x7f]")
_PARAMETER: Final = re.compile(rb';([ \t\r\n]*[A-Za-z0-9*-]+=)("?)([^";\s]+)("?)')


def folds(value: bytes) -> Forms:
    """The same text with other white space, which counts with c=simple."""
    unfolded = _FOLD.sub(b"", value)
    stripped = unfolded.strip(b" \t")
    for spaced in (
        unfolded,
        b" " + stripped,
        stripped,
        b" " + stripped + b" ",
        b" " + relaxed_value(value),
        _FOLD.sub(b"\r\n", _refolded(value, b"\t")),
        _refolded(value, b" "),
        _refolded(value, b"        "),
        re.sub(rb",[ \t]*", b",\r\n\t", b" " + stripped),
        re.sub(rb",[ \t]*", b",\r\n ", b" " + stripped),
        re.sub(rb";[ \t]*", b";\r\n\t", b" " + stripped),
        re.sub(rb";[ \t]*", b";\r\n ", b" " + stripped),
    ):
        yield "was folded or spaced in another way", spaced


def _refolded(value: bytes, by: bytes) -> bytes:
    return re.sub(rb"\r\n[ \t]+", b"\r\n" + by, value)


def tags(value: bytes) -> Forms:
    """A subject without what lists and filters put before it."""
    for match in list(_TAG.finditer(value))[:10]:
        yield _tagged(match[0]), value[: match.start()] + value[match.end() :]
    words = value.split(b" ")
    start = 1 if words and not words[0] else 0
    for count in range(1, min(8, len(words) - start)):
        front = b" ".join(words[start : start + count])
        yield _tagged(front), b" " * start + b" ".join(words[start + count :])
        back = b" ".join(words[len(words) - count :])
        yield _tagged(back), b" ".join(words[: len(words) - count])


def _tagged(tag: bytes) -> str:
    text = tag.decode("utf-8", "replace").strip()
    return f'got "{"".join(one if one.isprintable() else "?" for one in text)}" added'


def words(value: bytes) -> Forms:
    """Encoded words of RFC 2047 decoded, made, or written in another way."""
    if _WORD.search(value):
        joined = _BETWEEN_WORDS.sub(rb"\1", _FOLD.sub(b"", value))
        decoded = _WORD.sub(lambda word: _decoded(word), joined)
        if decoded != value:
            yield "was encoded (RFC 2047)", decoded
            for encoded in _encodings(decoded):
                yield "was encoded anew (RFC 2047)", encoded
    elif _NOT_ASCII.search(value):
        for encoded in _encodings(value):
            yield "was decoded (RFC 2047)", encoded


def _decoded(word: re.Match[bytes]) -> bytes:
    charset, encoding, text = word[1].decode("ascii"), word[2].lower(), word[3]
    try:
        if encoding == b"b":
            data = binascii.a2b_base64(text + b"=" * (-len(text) % 4))
        else:
            data = quopri.decodestring(text, header=True)
        return data.decode(charset).encode("utf-8")
    except (binascii.Error, LookupError, UnicodeError, ValueError):
        return word[0]


def _encodings(value: bytes) -> Iterator[bytes]:
    """The value, or the display name that it begins with, as one encoded word."""
    text, rest = _name(value) or (value, b"")
    text, space = text.strip(b' \t"'), b" " if rest else b""
    quoted = b"".join(
        b"_" if one == 32 else b"%c" % one if one < 127 and chr(one).isalnum() else b"=%02X" % one for one in text
    )
    for charset in (b"UTF-8", b"utf-8"):
        yield b" =?%b?B?%b?=%b%b" % (charset, base64.b64encode(text), space, rest)
        yield b" =?%b?b?%b?=%b%b" % (charset, base64.b64encode(text), space, rest)
        yield b" =?%b?Q?%b?=%b%b" % (charset, quoted, space, rest)
        yield b" =?%b?q?%b?=%b%b" % (charset, quoted, space, rest)


def addresses(value: bytes) -> Forms:
    """Addresses written in another way."""
    named = _name(value)
    if named is not None:
        name, rest = named
        text = name.strip(b' \t"')
        if b'"' in name:
            yield "got quotes around the name", b" " + text + b" " + rest
        else:
            yield "lost the quotes around the name", b' "' + text + b'" ' + rest
        yield "got a name for the address", b" " + rest
        yield "got a name and brackets for the address", b" " + rest.strip(b" \t").strip(b"<>")
    elif b"<" in value and b"," not in value:
        yield "got brackets around the address", b" " + value.strip(b" \t\r\n").strip(b"<>")
    elif b"," not in value:
        yield "lost the brackets around the address", b" <" + value.strip(b" \t\r\n") + b">"
    yield "got spaces after commas", re.sub(rb",[ \t]+", b",", value)
    yield "lost spaces after commas", re.sub(rb",(?=[^ \t\r\n])", b", ", value)
    yield "was written in lower case", b" " + value.strip().title()
    yield "was qualified", re.sub(rb"@[^>,\s]+", b"", value)


def _name(value: bytes) -> tuple[bytes, bytes] | None:
    """A display name and the address in brackets after it, if the field begins with them."""
    name, bracket, rest = value.partition(b"<")
    is_name = bracket and name.strip(b' \t"') and not any(mark in name for mark in b",;@>")
    return (name, bracket + rest) if is_name else None


def parameters(value: bytes) -> Forms:
    """MIME parameters with and without quotes, in upper and lower case."""
    yield "got quotes around parameters", _PARAMETER.sub(rb";\1\3", value)
    yield "lost quotes around parameters", _PARAMETER.sub(rb';\1"\3"', value)
    yield "was written in another case", value.lower()
    yield "was written in another case", re.sub(rb"(charset=\"?)([^\";\s]+)", lambda m: m[1] + m[2].upper(), value)
    yield "was written in another case", re.sub(rb"(charset=\"?)([^\";\s]+)", lambda m: m[1] + m[2].lower(), value)
    yield "got parameters", value.partition(b";")[0]
    yield "lost the semicolon at its end", value + b";"


def encodings(_: bytes) -> Forms:
    """Another transfer encoding."""
    for name in (b"8bit", b"7bit", b"quoted-printable", b"base64", b"binary", b"8BIT", b"7BIT"):
        yield f"was {name.decode('ascii')}", b" " + name


def dates(value: bytes) -> Forms:
    """The same date in another form."""
    if value.rstrip().endswith(b")"):
        yield "got a zone's name", value[: value.rfind(b"(")].rstrip()
    yield "got a day of two digits", re.sub(rb"(?<=[ ,])0(\d)(?= )", rb"\1", value, count=1)
    yield "got a day of one digit", re.sub(rb"(?<=, )(\d)(?= )", rb"0\1", value, count=1)
    for old, new in ((b"+0000", b"GMT"), (b"GMT", b"+0000"), (b"+0000", b"UTC"), (b"+0000", b"-0000")):
        yield "got another zone", value.replace(old, new)
    for zone in (b"(UTC)", b"(GMT)", b"(PST)", b"(PDT)", b"(EST)", b"(EDT)", b"(CET)", b"(CEST)", b"(BST)"):
        yield "lost a zone's name", value.rstrip() + b" " + zone


_ADDRESSES: Final = (addresses, words)
# What is tried for a field besides other white space.
FORMS: Final[dict[bytes, tuple[Callable[[bytes], Forms], ...]]] = {
    b"subject": (tags, words),
    b"from": _ADDRESSES,
    b"to": _ADDRESSES,
    b"cc": _ADDRESSES,
    b"reply-to": _ADDRESSES,
    b"sender": _ADDRESSES,
    b"content-type": (parameters,),
    b"content-disposition": (parameters,),
    b"content-transfer-encoding": (encodings,),
    b"date": (dates,),
}


def remedy(name: bytes, text: str) -> str:
    """What would mend such a change of a field."""
    if text.startswith("was folded"):
        return FOLD_REMEDY
    return TAG_REMEDY if name == b"subject" and text.startswith("got ") else RELAY_REMEDY
