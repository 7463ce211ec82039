"""Addresses of mail, as envelopes and header lines have them, read by Exim's rules and refused in its words.

The rules are those of RFC 5321 and 5322 (and what is left of 822: phrases, comments, source routes) with Exim's
liberties: local parts may begin, end and go on with dots, and may contain octets above 127. Text is octets in `str`.
"""

from __future__ import annotations

import re
from typing import Final

from eximious.octets import SPACE

LENGTH_LIMIT: Final = 256  # octets of a whole address
MOST_SHOWN: Final = 32  # of what may not follow

_SPACE: Final = re.compile(r"[ \t\r\n\f\v]*")
_ATOM: Final = re.compile(r'(?:[^\x00-\x20\x7f()<>@,;:\\".\[\]]|\\(?:.|\Z))+', re.DOTALL)
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_COMMENT_MARK: Final = re.compile(r"[()\\]")
_LABEL: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]*")
_LABEL_UTF8: Final = re.compile(r"[0-9A-Za-z\x80-\xff][0-9A-Za-z\x80-\xff-]*")
_LITERAL: Final = re.compile(r"\[[^\x00-\x20\x7f\[\]\\]*\]")
# Most addresses there are. One without brackets, or with both.
_DOMAIN: Final = r"[0-9A-Za-z][0-9A-Za-z-]*(?:\.[0-9A-Za-z][0-9A-Za-z-]*)*"
_LOCAL_PART: Final = r"[0-9A-Za-z!#$%&'*+\-/=?^_`{|}~.\x80-\xff]+"
_PLAIN: Final = re.compile(rf"(?:<({_LOCAL_PART}@{_DOMAIN})>|({_LOCAL_PART}@{_DOMAIN}))")


class AddressError(ValueError):
    """Why a text is not an address, in Exim's words."""


class ParsedAddress:
    """An address without comments and phrase: `address` is ``local_part@domain``, or a local part alone.

    `start` and `end` delimit where it stood in the text, without brackets and phrase but with what was inside.
    """

    __slots__ = ("address", "at", "end", "start")

    def __init__(self, address: str, at: int, start: int, end: int) -> None:
        self.address = address
        self.at = at  # position of the "@" before the domain; -1 if there is no domain
        self.start = start
        self.end = end

    @property
    def local_part(self) -> str:
        """As it stands, quotes and all."""
        return self.address if self.at < 0 else self.address[: self.at]

    @property
    def domain(self) -> str:
        """ "" if there is none."""
        return "" if self.at < 0 else self.address[self.at + 1 :]

    def __repr__(self) -> str:
        return f"ParsedAddress({self.address!r})"


class Rules:
    """What is allowed beyond the usual. Field names are Exim's options, and `smtp_utf8` a message's property."""

    __slots__ = ("allow_domain_literals", "allow_null", "allow_utf8_domains", "smtp_utf8", "strip_trailing_dot")

    def __init__(
        self,
        *,
        allow_null: bool = False,
        allow_domain_literals: bool = True,
        strip_trailing_dot: bool = False,
        allow_utf8_domains: bool = False,
        smtp_utf8: bool = False,
    ) -> None:
        self.allow_null = allow_null  # "<>" is an address, "": senders
        self.allow_domain_literals = allow_domain_literals
        self.strip_trailing_dot = strip_trailing_dot
        self.allow_utf8_domains = allow_utf8_domains
        self.smtp_utf8 = smtp_utf8


USUAL: Final = Rules()
SENDER: Final = Rules(allow_null=True)


def parse(text: str, rules: Rules = USUAL) -> ParsedAddress:
    """The one address in the text: ``local@domain``, ``<local@domain>``, ``phrase <@route:local@domain>``, ...

    Raises AddressError with the words that Exim has for the fault.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is not None and len(text) <= LENGTH_LIMIT and not (rules.smtp_utf8 and not text.isascii()):
        start, end = plain.span(plain.lastindex or 0)
        address = text[start:end]
        return ParsedAddress(address, address.rindex("@"), start, end)
    return _Parser(text, rules).one()


def parse_in_group(text: str, rules: Rules = USUAL) -> ParsedAddress:
    """Like `parse`, for a piece of a group: a semicolon after the address ends the group."""
    return _Parser(text, rules, in_group=True).one()


def is_qualified(address: str) -> bool:
    """True if the address has a domain."""
    return domain_position(address) > 0


def domain_position(address: str) -> int:
    """Where the domain of a parsed address begins; 0 if there is none."""
    at = address.rfind("@")
    if at < 0 or address.endswith('"'):
        return 0  # none, or inside a quoted local part
    before = address[:at]
    if (at - len(before.rstrip("\\"))) % 2:
        return 0  # escaped
    return at + 1


def split(address: str) -> tuple[str, str]:
    """Local part and domain of a parsed address; the domain is "" if there is none."""
    position = domain_position(address)
    return (address[: position - 1], address[position:]) if position else (address, "")


class _Parser:
    """One pass over one text."""

    __slots__ = ("in_group", "position", "rules", "start", "text", "token_end")

    def __init__(self, text: str, rules: Rules, *, in_group: bool = False) -> None:
        self.text = text
        self.rules = rules
        self.in_group = in_group  # a semicolon ends the address, and what is behind it does not matter
        self.position = 0
        self.start = 0
        self.token_end = 0  # where what `skip` passes over began

    # The whole.

    def one(self) -> ParsedAddress:
        self.skip()
        if self.next() in ("", ";"):
            raise AddressError("empty address")
        self.start = self.position
        if self.next() == "@":
            return self.finish(*self.routed())
        local_part = self.local_part(may_be_empty=True)
        following = self.next()
        if following == "@" and local_part:
            domain = self.after_at()
            return self.finish(local_part, domain)
        if following not in ("", ";") or not local_part:
            return self.after_phrase()
        return self.finish(local_part, "")

    def after_phrase(self) -> ParsedAddress:
        """A phrase may have begun: words and dots up to the bracket."""
        while self.next() != "<":
            try:
                if not self.words():
                    raise AddressError("missing or malformed local part")
            except AddressError as error:
                raise AddressError(f'{error} (expected word or "<")') from None
        self.position += 1
        self.skip()
        self.start = self.position
        if self.next() == ">" and self.rules.allow_null:
            self.position += 1
            self.skip()
            return self.finish("", "", self.start)
        if self.next() == "@":
            local_part, domain = self.routed()
        else:
            local_part = self.local_part()
            domain = ""
            if self.next() == "@":
                domain = self.after_at()
            elif self.next() != ">":
                raise AddressError(f'"@" or "." expected after "{local_part}"')
        end = self.position
        if self.next() != ">":
            if domain and self.next():
                raise self.malformed()
            raise AddressError("'>' missing at end of address")
        self.position += 1
        self.skip()
        return self.finish(local_part, domain, end)

    def finish(self, local_part: str, domain: str, end: int = -1) -> ParsedAddress:
        if end < 0:
            end = self.token_end
        following = self.next()
        if following and not (self.in_group and following == ";"):
            raise self.malformed()
        address = f"{local_part}@{domain}" if domain else local_part
        if len(address) > LENGTH_LIMIT:
            raise AddressError(f"address is ridiculously long: {address[:64]}...")
        if self.rules.smtp_utf8 and not address.isascii():
            _check_utf8(address)
        elif self.rules.allow_utf8_domains and not domain.isascii():
            _check_utf8(domain)
        source = self.text
        while end > self.start and source[end - 1] in " \t\r\n":
            end -= 1
        return ParsedAddress(address, len(local_part) if domain else -1, self.start, end)

    def malformed(self) -> AddressError:
        before, after = self.text[: self.position], self.text[self.position :]
        after = after[:MOST_SHOWN] if len(after) > MOST_SHOWN else after.rstrip(SPACE)
        return AddressError(f"malformed address: {after} may not follow {before.lstrip(SPACE)}")

    # The parts. Each leaves `position` after the white space and comments that follow it.

    def next(self) -> str:
        return self.text[self.position : self.position + 1]

    def skip(self) -> None:
        """Go past white space and comments; a comment that does not end swallows the rest."""
        self.token_end = self.position
        text = self.text
        position = _SPACE.match(text, self.position).end()  # type: ignore[union-attr]
        while text.startswith("(", position):
            depth = 0
            end = len(text)
            mark = _COMMENT_MARK.search(text, position)
            while mark is not None:
                after = mark.end()
                if mark[0] == "(":
                    depth += 1
                elif mark[0] == ")":
                    depth -= 1
                    if depth == 0:
                        end = after
                        break
                else:
                    after += 1
                mark = _COMMENT_MARK.search(text, after)
            position = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        self.position = position

    def local_part(self, *, may_be_empty: bool = False) -> str:
        found = self.words()
        if not found and not may_be_empty:
            raise AddressError("missing or malformed local part")
        return found

    def words(self) -> str:
        """Words with dots between them, or dots alone; "" if there are none."""
        text = self.text
        parts: list[str] = []
        after_word = False
        while True:
            following = self.next()
            if following == ".":
                parts.append(".")
                self.position += 1
                after_word = False
            elif after_word:
                break
            elif following == '"':
                word = _QUOTED.match(text, self.position)
                if word is None:
                    raise AddressError("unmatched doublequote in local part")
                parts.append(word[0])
                self.position = word.end()
                after_word = True
            else:
                word = _ATOM.match(text, self.position)
                if word is None:
                    break
                parts.append(word[0])
                self.position = word.end()
                after_word = True
            self.skip()
        return "".join(parts)

    def after_at(self) -> str:
        self.position += 1
        return self.domain(literal_allowed=self.rules.allow_domain_literals)

    def domain(self, *, literal_allowed: bool) -> str:
        self.skip()
        if self.next() == "[":
            return self.literal(literal_allowed)
        rules = self.rules
        pattern = _LABEL_UTF8 if rules.allow_utf8_domains or rules.smtp_utf8 else _LABEL
        labels: list[str] = []
        while True:
            label = pattern.match(self.text, self.position)
            if label is None:
                if labels and rules.strip_trailing_dot and self.next() != ".":
                    break
                raise AddressError("domain missing or malformed")
            labels.append(label[0])
            self.position = label.end()
            self.skip()
            if self.next() != ".":
                break
            self.position += 1
            self.skip()
        return ".".join(labels)

    def literal(self, is_allowed: bool) -> str:
        if not is_allowed:
            raise AddressError("domain literals not allowed")
        literal = _LITERAL.match(self.text, self.position)
        if literal is None:
            raise AddressError("malformed domain literal")
        self.position = literal.end()
        self.skip()
        return literal[0]

    def routed(self) -> tuple[str, str]:
        """``@relay,@relay:local@domain``: the route is read and forgotten."""
        complaint = "no local part"
        while self.next() == "@":
            self.position += 1
            self.domain(literal_allowed=self.rules.allow_domain_literals)
            if self.next() != ",":
                break
            self.position += 1
            self.skip()
            complaint = "colon expected after route list"
        if self.next() != ":":
            raise AddressError(complaint)
        self.position += 1
        self.skip()
        self.start = self.position
        local_part = self.local_part()
        if self.next() != "@":
            raise AddressError("domain missing in source-routed address")
        return local_part, self.after_at()


def _check_utf8(address: str) -> None:
    try:
        address.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise AddressError("invalid UTF-8 byte sequence") from None
