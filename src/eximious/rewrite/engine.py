"""Applying rewriting rules to one address. (Exim specification, chapter "Address rewriting".)"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious.address.delivery import Address
from eximious.address.parse import AddressError, ParsedAddress, is_qualified, parse
from eximious.address.phrase import fix_phrase
from eximious.address.rules import address_rules
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.rewrite.rules import (
    ENVELOPE_RECIPIENT,
    ENVELOPE_SENDER,
    QUALIFY,
    QUIT,
    REPEAT,
    SMTP,
    WHOLE,
    RewriteRule,
)
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context

MOST_REPEATS: Final = 10  # applications, after the first, of one rule with the flag R
NULL_ALLOWED: Final = (ENVELOPE_SENDER, SMTP)
PLACE_NAMES: Final = {
    "F": "env-from",
    "T": "env-to",
    "S": "smtp sender",
    "b": "bcc:",
    "c": "cc:",
    "f": "from:",
    "r": "reply-to:",
    "s": "sender:",
    "t": "to:",
}


class Rewritten:
    """What the rules made of an address."""

    __slots__ = ("address", "after", "before", "has_whole")

    def __init__(self, address: str) -> None:
        self.address = address
        self.has_whole = False  # the whole item of a header is replaced, as a rule says
        self.before = ""  # ... with this before the address
        self.after = ""  # ... and this behind it

    @property
    def shown(self) -> str:
        """As log lines have it."""
        return f"{self.before}{self.address}{self.after}"

    def whole(self, context: Context) -> str | None:
        """What replaces the whole item of a header, fit to stand there; None if only the address is replaced.

        A phrase is quoted if need be, and what is not printable is encoded (RFC 2047).
        """
        if not self.has_whole:
            return None
        charset = context.config.main.headers_charset or "UTF-8"
        before, after = self.before, self.after
        if "<" in before:
            phrase, bracket, rest = before.partition("<")
            before = _printable(phrase, charset, fix_phrase) + bracket + rest
        bracket, rest = (">", after[1:]) if after.startswith(">") else ("", after)
        return f"{before}{self.address}{bracket}{_printable(rest, charset, None)}"


class _Stop(Exception):
    """No more rules."""


def rewrite(address: str, place: str, rules: list[RewriteRule], context: Context) -> Rewritten:
    """Apply the rules for one of the places of `eximious.rewrite.rules`; a qualified address, but for SMTP."""
    rewritten = Rewritten(address)
    before = (context.address, context.captures)
    try:
        for rule in rules:
            if place in rule.places:
                _apply_repeatedly(rule, place, rewritten, context)
    except _Stop:
        pass
    finally:
        context.address, context.captures = before
    return rewritten


def _apply_repeatedly(rule: RewriteRule, place: str, rewritten: Rewritten, context: Context) -> None:
    """One rule, once or (with R) as long as it matches. Raises _Stop if no rule shall follow."""
    if not _matches(rule, place, rewritten.address, context):
        return
    is_applied = _apply(rule, place, rewritten, context)
    if is_applied and REPEAT in rule.manner:
        for _ in range(MOST_REPEATS):
            if not _matches(rule, place, rewritten.address, context) or not _apply(rule, place, rewritten, context):
                break
        else:
            _complain(context, f"rewrite rule repeat ignored after {MOST_REPEATS} times")
    if QUIT in rule.manner or rule.replacement is None:
        raise _Stop


def _matches(rule: RewriteRule, place: str, address: str, context: Context) -> bool:
    """True if the pattern matches; its captures are in the context then."""
    if place == SMTP:
        return _matches_raw(rule, address, context)
    if not is_qualified(address):
        return False
    # The replacement sees the address as it is written.
    subject = Address(address)
    subject.local_part = subject.local_part_cased
    subject.domain = address.rpartition("@")[2]
    context.address = subject
    context.captures = [address]
    from eximious.lists.address import AddressText

    try:
        return rule.addresses.scan(AddressText(address), context, True) is not None
    except (Defer, ExpandError):
        return False


def _matches_raw(rule: RewriteRule, text: str, context: Context) -> bool:
    """SMTP-time rules match whatever the command gave."""
    from eximious.expand.regex import compile

    try:
        assert rule.raw is not None
        found = compile(rule.raw.expand(context)).search(text)
    except ForcedFail:
        return False
    except (ExpandError, Defer) as error:
        _complain(context, f'failed to expand "{rule.pattern}" while checking for SMTP rewriting: {error}')
        return False
    if found is None:
        return False
    context.captures = found
    return True


def _apply(rule: RewriteRule, place: str, rewritten: Rewritten, context: Context) -> bool:
    """Replace the address; False if the rule leaves it alone. Raises _Stop if the replacement is no good."""
    if rule.replacement is None:
        if place == SMTP:
            _complain(context, f'Rewrite of {rewritten.shown} yielded unqualified address "*"')
        return False
    try:
        text = rule.replacement.expand(context)
    except ForcedFail:
        return False
    except (ExpandError, Defer) as error:
        _complain(context, f"Expansion of {rule.replacement.source} failed while rewriting: {error}")
        raise _Stop from error
    parsed = _parsed(text, rewritten.shown, place, context)
    address = parsed.address
    before, after = text[: parsed.start], text[parsed.end :]
    if parsed.at < 0 and (address or place not in NULL_ALLOWED):
        if QUALIFY not in rule.manner:
            _complain(context, f'Rewrite of {rewritten.shown} yielded unqualified address "{text}"')
            raise _Stop
        address = f"{address}@{context.config.main.qualify_recipient}"
    _log(rule, place, rewritten.shown, f"{before}{address}{after}", context)
    if WHOLE in rule.manner and place not in (ENVELOPE_SENDER, ENVELOPE_RECIPIENT, SMTP):
        rewritten.before, rewritten.after = before, after
        rewritten.has_whole = True
    rewritten.address = Tainted(address) if text.__class__ is Tainted else address
    return True


def _parsed(text: str, old: str, place: str, context: Context) -> ParsedAddress:
    rules = address_rules(context)
    rules.allow_null = place in NULL_ALLOWED
    try:
        return parse(text, rules)
    except AddressError as error:
        _complain(context, f"Rewrite of {old} yielded unparseable address: {error} in address {text}")
        raise _Stop from error


def _printable(text: str, charset: str, fix: Callable[[str], str] | None) -> str:
    """The text outside of an address, encoded if it must be, else as `fix` would have it."""
    from eximious.expand.operators.rfc2047 import encode

    stripped = text.strip()
    if not stripped:
        return text
    if all(" " <= character <= "~" or character == "\t" for character in stripped):
        fixed = stripped if fix is None else fix(stripped)
    else:
        fixed = encode(stripped, charset)
    return text.replace(stripped, fixed, 1)


def _log(rule: RewriteRule, place: str, old: str, new: str, context: Context) -> None:
    logs = context.services.logs
    if "address_rewrite" in logs.selected and not context.facts.get("rewrites_quietly"):
        where = PLACE_NAMES[place]
        logs.main(f'"{old}" from {where} rewritten as "{new}" by rule {rule.number}', context.message.id)


def _complain(context: Context, text: str) -> None:
    context.services.logs.panic(text, context.message.id)


# --- the places -------------------------------------------------------------------------------------------------------


def rewrite_smtp(text: str, context: Context) -> str:
    """What a MAIL or RCPT command gave, after the rules with the flag S."""
    rules: list[RewriteRule] = context.config.rewrite_rules
    return rewrite(text, SMTP, rules, context).address or (text and "<>")


def rewrite_sender(address: str, context: Context) -> str:
    """An envelope sender; "" stays as it is."""
    if not address:
        return address
    return rewrite(address, ENVELOPE_SENDER, context.config.rewrite_rules, context).address


def rewrite_recipient(address: str, context: Context) -> str:
    """An envelope recipient."""
    return rewrite(address, ENVELOPE_RECIPIENT, context.config.rewrite_rules, context).address
