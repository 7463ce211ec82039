"""Authentication-Results fields (RFC 8601): what one host says about who a message came from.

    >>> found = parse("mx.example; spf=pass (it may) smtp.mailfrom=example.org; dkim=fail reason=\\"bad hash\\"")
    >>> found.authserv_id, [(one.method, one.result) for one in found.results]
    ('mx.example', [('spf', 'pass'), ('dkim', 'fail')])
    >>> found.results[0].value("smtp", "mailfrom")
    'example.org'
    >>> print(AuthenticationResults("mx.example", (MethodResult("spf", "none"),)))
    mx.example; spf=none

Text is octets in str, or Unicode for messages of RFC 6532; neither is changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LENGTH_LIMIT: Final = 100_000  # octets of a field that are looked at
DEPTH_LIMIT: Final = 20  # comments inside comments
RESULT_LIMIT: Final = 100  # results in one field

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~\x80-\U0010ffff]+")
_KEYWORD: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
_PROPERTY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# A value may be an address or a path without quotes: what real writers leave unquoted is taken.
_LOOSE_VALUE: Final = re.compile(r"[^\s;()\"\\]+")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_VERSION: Final = re.compile(r"[0-9]{1,5}")
_SPACE: Final = re.compile(r"[ \t\r\n]+")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_COMMENT_STEP: Final = re.compile(r"[^()\\]+")
_PLAIN_VALUE: Final = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~\x80-\U0010ffff]+")
_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\U0010ffff-]*@)?[A-Za-z0-9_.\x80-\U0010ffff-]+")


class AuthresError(ValueError):
    """The field is not what RFC 8601 allows."""


@dataclass(frozen=True, slots=True)
class Property:
    """One ``ptype.name=value``, as in ``smtp.mailfrom=example.org``."""

    ptype: str
    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.ptype}.{self.name}={value_text(self.value)}"


@dataclass(frozen=True, slots=True)
class MethodResult:
    """What one method found."""

    method: str
    result: str
    properties: tuple[Property, ...] = ()
    reason: str = ""
    comment: str = ""
    version: int = 1

    def __str__(self) -> str:
        version = f"/{self.version}" if self.version != 1 else ""
        words = [f"{self.method}{version}={self.result}"]
        if self.comment:
            words.append(f"({comment_text(self.comment)})")
        if self.reason:
            words.append(f"reason={value_text(self.reason)}")
        words += [str(one) for one in self.properties]
        return " ".join(words)

    def value(self, ptype: str, name: str) -> str | None:
        """The value of a property, the first if there are several."""
        for one in self.properties:
            if one.ptype == ptype and one.name == name:
                return one.value
        return None


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """A whole field: who says it, and what. No results mean that nothing was checked."""

    authserv_id: str
    results: tuple[MethodResult, ...] = ()
    version: int = 1

    def __str__(self) -> str:
        return self.to_text(" ")

    def to_text(self, separator: str = "\r\n\t") -> str:
        """The value of the field; `separator` stands before each result (as is, it folds the field)."""
        version = f" {self.version}" if self.version != 1 else ""
        parts = [str(one) for one in self.results] or ["none"]
        return f"{value_text(self.authserv_id)}{version};{separator}" + f";{separator}".join(parts)

    def result(self, method: str) -> MethodResult | None:
        """The first result of a method."""
        return next((one for one in self.results if one.method == method), None)


def parse(text: str) -> AuthenticationResults:
    """Read the value of a field. Raises AuthresError."""
    if len(text) > LENGTH_LIMIT:
        raise AuthresError("the field is too long")
    return _Reader(text).field()


def parse_arc(text: str) -> tuple[int, AuthenticationResults]:
    """Read the value of an ARC-Authentication-Results field: its instance, and what it says. Raises AuthresError."""
    match = _ARC_INSTANCE.match(text)
    if match is None:
        raise AuthresError("no instance (i=) at the beginning")
    return int(match[1]), parse(text[match.end() :])


_ARC_INSTANCE: Final = re.compile(r"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,3})[ \t\r\n]*;")


class _Reader:
    """A field's text and how far it has been read."""

    __slots__ = ("_at", "_comments", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._comments: list[str] = []

    def field(self) -> AuthenticationResults:
        self._skip()
        authserv_id = self._value("authserv-id")
        self._skip()
        version = int(self._take(_VERSION) or 1)
        self._skip()
        results: list[MethodResult] = []
        while self._at < len(self._text):
            self._expect(";")
            self._comments.clear()
            self._skip()
            if self._at == len(self._text):
                break  # a semicolon at the end, which some write
            one = self._result()
            if one is not None:
                results.append(one)
            if len(results) > RESULT_LIMIT:
                raise AuthresError("too many results")
        return AuthenticationResults(authserv_id, tuple(results), version)

    def _result(self) -> MethodResult | None:
        method = self._keyword("method")
        self._skip()
        if self._text.startswith(".", self._at):
            # Exim puts a bare "smtp.remote-ip=..." first in its ARC-Authentication-Results.
            self._property(method)
            self._skip()
            return None
        if method.lower() == "none" and (self._at == len(self._text) or self._text[self._at] == ";"):
            return None
        version = 1
        if self._text.startswith("/", self._at):
            self._at += 1
            self._skip()
            version = int(self._take(_VERSION) or 1)
            self._skip()
        self._expect("=")
        self._skip()
        result = self._keyword("result")
        self._skip()
        reason = ""
        properties: list[Property] = []
        while self._at < len(self._text) and self._text[self._at] != ";":
            name = self._keyword("property")
            self._skip()
            if name.lower() == "reason" and self._text.startswith("=", self._at):
                self._at += 1
                self._skip()
                reason = self._value("reason")
            else:
                properties.append(self._property(name))
            self._skip()
        comment = " ".join(self._comments)
        return MethodResult(method.lower(), result.lower(), tuple(properties), reason, comment, version)

    def _property(self, ptype: str) -> Property:
        self._expect(".")
        self._skip()
        name = self._take(_PROPERTY)
        if not name:
            raise AuthresError(f"no property after {ptype}.")
        self._skip()
        self._expect("=")
        self._skip()
        return Property(ptype.lower(), name.lower(), self._value(name, may_be_empty=True))

    def _value(self, what: str, may_be_empty: bool = False) -> str:
        """A token, a quoted string, or an address with either."""
        parts = []
        while True:
            quoted = _QUOTED.match(self._text, self._at)
            if quoted is not None:
                self._at = quoted.end()
                content = _ESCAPED.sub(r"\1", quoted[1])
                is_local_part = self._text.startswith("@", self._at)
                parts.append(f'"{quoted[1]}"' if is_local_part else content)
                continue
            loose = self._take(_LOOSE_VALUE)
            if not loose:
                break
            parts.append(loose)
        if not parts and not may_be_empty:
            raise AuthresError(f"no {what} at octet {self._at}")
        return "".join(parts)

    def _keyword(self, what: str) -> str:
        word = self._take(_KEYWORD)
        if not word:
            raise AuthresError(f"no {what} at octet {self._at}")
        return word

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _expect(self, mark: str) -> None:
        if not self._text.startswith(mark, self._at):
            raise AuthresError(f'"{mark}" expected at octet {self._at}')
        self._at += len(mark)

    def _skip(self) -> None:
        """Pass over white space and comments, which are kept."""
        while True:
            space = _SPACE.match(self._text, self._at)
            if space is not None:
                self._at = space.end()
            elif self._text.startswith("(", self._at):
                self._comments.append(self._comment())
            else:
                return

    def _comment(self) -> str:
        begin = self._at + 1
        depth = 0
        while self._at < len(self._text):
            match self._text[self._at]:
                case "(":
                    depth += 1
                    if depth > DEPTH_LIMIT:
                        raise AuthresError("comments in too many comments")
                    self._at += 1
                case ")":
                    depth -= 1
                    self._at += 1
                    if depth == 0:
                        return _ESCAPED.sub(r"\1", self._text[begin : self._at - 1]).strip()
                case "\\":
                    self._at += 2
                case _:
                    self._take(_COMMENT_STEP)
        raise AuthresError("a comment does not end")


def value_text(text: str) -> str:
    """As a token if it can be one, as an address, or in quotes. Line ends cannot be in it, and become spaces."""
    if _PLAIN_VALUE.fullmatch(text) or _ADDRESS.fullmatch(text):
        return text
    safe = _UNSAFE.sub(" ", text)
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"') + '"'


def comment_text(text: str) -> str:
    """What may stand between the brackets of a comment."""
    return re.sub(r"([()\\])", r"\\\1", _UNSAFE.sub(" ", text))


_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f]+")
