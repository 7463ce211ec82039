"""Which single change to the body makes its hash agree again.

The hash says only that something was changed. What hosts on the way commonly do is undone here, one thing at a time,
until the hash is the signed one: text added at the end, at the beginning or to a part, lines escaped or broken, a
transfer encoding changed, or a signer that hashed something else than it says.
"""

from __future__ import annotations

import binascii
import hashlib
import quopri
import re
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from eximious.mailauth.canonical import BodyHashes, relaxed_text
from eximious.mailauth.damage.change import Change, counted, shown

if TYPE_CHECKING:
    from eximious.mailauth.dkim.signature import Signature

LINE_LIMIT: Final = 100_000  # lines of a body whose beginnings are tried
BLOCK_LIMIT: Final = 40  # lines of a block inside the body
BOUNDARY_LIMIT: Final = 20  # ends of parts that are looked at
HASHED_LIMIT: Final = 100_000_000  # octets that are hashed in all: a second or less

ENCODING: Final = re.compile(
    rb"^content-transfer-encoding[ \t]*:[ \t]*(quoted-printable|base64)\b", re.IGNORECASE | re.MULTILINE
)
FOOTER: Final = "have whoever adds it sign anew or seal with ARC, or add nothing"
BANNER: Final = "have the banner added after DKIM has been verified, or not to the text"
RELAY: Final = "have the host that does so stop it, or sign after it"
SIGNER: Final = "the signing software must be mended; another canonicalization in c= may avoid the fault"


class _Form(NamedTuple):
    """A way to undo something: what was done, what mends it, and the body as it was (None if it cannot apply)."""

    text: str
    remedy: str
    undo: Callable[[bytes], bytes]


def find(body: bytes, signature: Signature, content_encoding: str = "") -> Change | None:
    """The change that explains the hash; None if none of the common ones does. `body` has CRLF line ends.

    `content_encoding` is the value of the message's Content-Transfer-Encoding field. What is spent is bounded.
    """
    search = _Search(signature)
    for form in (*_FORMS, *_decodings(content_encoding)):
        undone = form.undo(body)
        if undone != body and search.is_signed(undone):
            return Change("body", form.text, form.remedy)
    if search.is_signed(body, is_relaxed=not signature.is_body_relaxed):
        said, done = ("relaxed", "simple") if signature.is_body_relaxed else ("simple", "relaxed")
        return Change("body", f"the signer says {said} in c= for the body, but hashed its {done} form", SIGNER)
    lines = body.split(b"\r\n")
    if lines and not lines[-1]:
        lines.pop()
    return search.beginning(lines) or search.without_block(lines)


class _Search:
    """Bodies that are tried, and what that may cost."""

    __slots__ = ("_left", "_signature")

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._left = HASHED_LIMIT

    def is_signed(self, body: bytes, is_relaxed: bool | None = None) -> bool:
        """It is the body that was signed."""
        self._left -= len(body)
        if self._left < 0:
            return False
        signature = self._signature
        relaxed = signature.is_body_relaxed if is_relaxed is None else is_relaxed
        hashes = BodyHashes()
        digest = hashes.want(is_relaxed=relaxed, algorithm=signature.hash_name, limit=signature.length)
        hashes.feed(body)
        hashes.finish()
        return digest.value == signature.body_hash

    def beginning(self, lines: list[bytes]) -> Change | None:
        """The body was signed as far as some line: what follows was added."""
        signature = self._signature
        relaxed = signature.is_body_relaxed
        digest = hashlib.new(signature.hash_name)
        empty = b"" if relaxed else b"\r\n"
        if hashlib.new(signature.hash_name, empty).digest() == signature.body_hash:
            return Change("body", "the body was empty when it was signed", RELAY)
        empty_lines = 0
        for number, line in enumerate(lines[:LINE_LIMIT]):
            text = relaxed_text(line + b"\r\n") if relaxed else line + b"\r\n"
            if text == b"\r\n":
                empty_lines += 1  # they are there only if something follows
                continue
            digest.update(b"\r\n" * empty_lines + text)
            empty_lines = 0
            if digest.copy().digest() == signature.body_hash:
                return _added(lines[number + 1 :], "at the end", FOOTER)
        return None

    def without_block(self, lines: list[bytes]) -> Change | None:
        """Some lines were added at the beginning, or to a part, or as a part of their own."""
        body = b"".join(line + b"\r\n" for line in lines)
        begins = [0, *accumulate(len(line) + 2 for line in lines)]
        for begin, end, where in _blocks(lines):
            if self._left < 0:
                return None
            if self.is_signed(body[: begins[begin]] + body[begins[end] :]):
                return _added(lines[begin:end], where, BANNER if where == "at the beginning" else FOOTER)
        return None


def _added(lines: list[bytes], where: str, remedy: str) -> Change:
    first = next((line for line in lines if line.strip(b" \t-_=*")), b"")
    return Change("body", f"{counted(len(lines), 'line')} added {where}, from {shown(first)} on", remedy)


def _blocks(lines: list[bytes]) -> Iterator[tuple[int, int, str]]:
    """Blocks of lines that something may have put in: (first, one after the last, where that is)."""
    candidates = {line for line in lines if line.startswith(b"--") and len(line) > 2}
    names = {line for line in candidates if line.endswith(b"--") and line[:-2] in candidates}
    boundaries = [at for at, line in enumerate(lines) if line in names or line + b"--" in names][:BOUNDARY_LIMIT]
    for first, second in pairwise(boundaries):
        yield first, second, "as a part of its own"
    for end in range(1, min(len(lines), BLOCK_LIMIT) + 1):
        yield 0, end, "at the beginning"
    for at in boundaries:
        for begin in range(at - 1, max(at - BLOCK_LIMIT, 0), -1):
            yield begin, at, "at the end of a part"
        blank = next((n for n in range(at, min(at + BLOCK_LIMIT, len(lines))) if not lines[n].strip()), None)
        if blank is not None:
            for end in range(blank + 2, min(blank + BLOCK_LIMIT, len(lines))):
                yield blank + 1, end, "at the beginning of a part"


def _replaced(pattern: bytes, by: bytes) -> Callable[[bytes], bytes]:
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda body: compiled.sub(by, body)


def _stripped(body: bytes) -> bytes:
    return b"\r\n".join(line.rstrip(b" \t") for line in body.split(b"\r\n"))


_FORMS: Final = (
    _Form('lines that begin with "From " were escaped with ">"', RELAY, _replaced(rb"^>From ", b"From ")),
    _Form('lines that begin with ">From " lost their ">"', RELAY, _replaced(rb"^From ", b">From ")),
    _Form("dots at the beginning of lines were doubled", RELAY, _replaced(rb"^\.\.", b".")),
    _Form("the first of two dots at the beginning of lines was removed", RELAY, _replaced(rb"^\.", b"..")),
    _Form("white space was added at the ends of lines", RELAY, _stripped),
    _Form('long lines were broken with "!"', RELAY, _replaced(rb"!\r\n ", b"")),
    _Form("the signer hashed lines that ended in LF alone", SIGNER, _replaced(rb"\r\n", b"\n")),
)


def _decodings(content_encoding: str) -> Iterator[_Form]:
    """The text was recoded on the way: it was 8bit when it was signed."""
    name = content_encoding.strip().lower()
    if name in _DECODERS:
        text = f"the body was encoded as {name} on the way, and was 8bit or 7bit when it was signed"
        yield _Form(text, RELAY, _DECODERS[name])
    text = "parts were encoded on the way, and were 8bit or 7bit when they were signed"
    yield _Form(text, RELAY, _parts_decoded)


def _base64(body: bytes) -> bytes:
    try:
        return _crlf(binascii.a2b_base64(body))
    except binascii.Error:
        return body


def _quoted_printable(body: bytes) -> bytes:
    return _crlf(quopri.decodestring(body))


def _crlf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


_DECODERS: Final = {"base64": _base64, "quoted-printable": _quoted_printable}
_PART: Final = re.compile(rb"(?m)^(?=--[^\r\n]+\r\n)")


def _parts_decoded(body: bytes) -> bytes:
    """All parts decoded, and said to be 8bit."""
    made = []
    for part in _PART.split(body):
        head, blank, text = part.partition(b"\r\n\r\n")
        match = ENCODING.search(head)
        if match is not None:
            head = head[: match.start(1)] + b"8bit" + head[match.end(1) :]
            decoded = _DECODERS[match[1].decode("ascii").lower()](text)
            # The line end before a boundary is the boundary's.
            text = decoded + b"\r\n" if text.endswith(b"\r\n") and not decoded.endswith(b"\r\n") else decoded
        made.append(head + blank + text)
    return b"".join(made)
