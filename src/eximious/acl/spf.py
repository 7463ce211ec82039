"""SPF for access control: one check for a message, however many conditions want it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.acl import ahead
from eximious.acl.verdict import AclError
from eximious.config.lists import split
from eximious.waiting import wait

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from eximious.context import Context
    from eximious.mailauth.spf import Verdict

# Older names; Exim's text once had them crossed, its program never.
OLD_NAMES: Final = {"err_temp": "temperror", "err_perm": "permerror"}
RESULTS: Final = frozenset(
    {"pass", "fail", "softfail", "none", "neutral", "permerror", "temperror", "invalid", "(invalid)", "*"}
)


class Found:
    """The outcome of a check, as variables and logs see it."""

    __slots__ = ("is_guess", "receiver", "sender", "verdict")

    def __init__(self, verdict: Verdict, receiver: str, sender: str, is_guess: bool) -> None:
        self.verdict = verdict
        self.receiver = receiver
        self.sender = sender  # of the message when it was checked
        self.is_guess = is_guess

    @property
    def smtp_comment(self) -> str:
        """The domain's explanation, or the usual one with a word about what decided."""
        verdict = self.verdict
        if not verdict.explanation or verdict.is_own_explanation:
            return verdict.explanation
        return f"{verdict.explanation} : Reason: {'default' if verdict.mechanism == 'default' else 'mechanism'}"

    @property
    def authentication_results(self) -> str:
        """The part of an Authentication-Results header."""
        from eximious.mailauth.authres import value_text

        guess = " (best guess record for domain)" if self.is_guess else ""
        verdict = self.verdict
        where = f"{verdict.identity}={value_text(verdict.domain)}"
        return f"spf={verdict.result}{guess} smtp.{where}" if verdict.domain else f"spf={verdict.result}{guess}"


def wanted(text: str) -> list[tuple[str, bool]]:
    """A list of results as (name, negated). Raises AclError for a name that is none, which could never match."""
    found = []
    for item in split(text):
        name = item.strip().lower()
        is_negated = name.startswith("!")
        name = name.removeprefix("!").strip()
        name = OLD_NAMES.get(name, name)
        if name not in RESULTS:
            raise AclError(f'"{item}" is not a result of SPF')
        found.append((name, is_negated))
    return found


def matches(results: list[tuple[str, bool]], context: Context, *, guess: bool) -> bool:
    """True if the result for the message is one of those."""
    found = check(context, guess=guess)
    result = "(invalid)" if found is None else str(found.verdict.result)
    for name, is_negated in results:
        is_it = name in (result, "*") or (name == "invalid" and found is None)
        if is_it != is_negated:
            return True
    return False


def begin(context: Context) -> None:
    """The sender is known: begin the check, if an ACL may ask for it."""
    template = context.config.main.spf_smtp_comment_template
    if template is not None and template.constant is None:
        return  # what it comes to may depend on what the ACL does
    if ahead.is_worthwhile(ahead.SPF, context) and "spf_checked" not in context.message.facts:
        ahead.begin(context, ahead.SPF, lambda: _asking(context, None), context.message.sender)


def check(context: Context, *, guess: bool) -> Found | None:
    """The verdict for the message's sender; with `guess` that of the guessed record if there is no real one.

    None if nobody is connected over the network.
    """
    message = context.message
    if not context.client.host_address:
        return None
    facts = message.facts
    real: Found | None = facts.get("spf_checked")
    if real is None or real.sender != message.sender:
        real = facts["spf_checked"] = _asked(context, None)
        facts.pop("spf_guessed", None)
    found = real
    if guess and str(real.verdict.result) == "none":
        guessed: Found | None = facts.get("spf_guessed")
        if guessed is None:
            guessed = facts["spf_guessed"] = _asked(context, _guess(context))
        found = guessed
    facts["spf"] = found
    facts["authresults_spf"] = (found.authentication_results,)
    return found


def _guess(context: Context) -> str:
    template = context.config.main.spf_guess
    return template.expand(context) if template is not None else ""


def _asked(context: Context, record: str | None) -> Found:
    sender = context.message.sender
    begun = ahead.take(context, ahead.SPF, sender) if record is None else None
    verdict = wait(_asking(context, record)) if begun is None else begun.result()
    return Found(verdict, str(context.config.main.primary_hostname), sender, record is not None)


def _asking(context: Context, record: str | None) -> Coroutine[Any, Any, Verdict]:
    from eximious.mailauth.program_resolver import ProgramResolver
    from eximious.mailauth.spf import LIMITS, Limits, check_mail_from

    main = context.config.main
    template = main.spf_smtp_comment_template
    return check_mail_from(
        str(context.client.host_address),
        str(context.message.sender),
        str(context.client.helo_name),
        resolver=ProgramResolver(context.services.dns),
        receiver=str(main.primary_hostname),
        record=record,
        default_explanation=template.expand(context) if template is not None else "",
        limits=LIMITS if record is None else Limits(void_lookups=LIMITS.lookups),  # nobody publishes the guess
    )
