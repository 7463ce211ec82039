"""``exim -brt``: which retry rule is for a host or an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config.numbers import show_fixed, show_seconds
from eximious.errors import ConfigError
from eximious.exim.command_line import EXIT_FAILURE, EXIT_SUCCESS, CommandLineError
from eximious.retry.rules import GEOMETRIC, RetryRule, Step, find_rule

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation


def run(call: Invocation) -> int:
    """Print the rule for the first argument, or else for the second, and perhaps only for the error that comes last."""
    words = list(call.line.arguments)
    if not words:
        raise CommandLineError("-brt needs a domain or address argument")
    subject = words.pop(0)
    if "@" not in subject and "." not in subject:
        call.print(
            f"Warning: \"{subject}\" contains no '@' and no '.' characters. It is being \n"
            "treated as a one-component domain, not as a local part.\n"
        )
    alternate = words.pop(0) if words and "." in words[0] else ""
    try:
        number, more_errno = error_numbers(words[0]) if words else (0, 0)
    except ConfigError as error:
        call.print(error.message)
        return EXIT_FAILURE
    rule = find_rule(call.context(), subject, alternate, number, more_errno, call.line.sender)
    call.print("No retry information found" if rule is None else show(rule))
    return EXIT_SUCCESS


def error_numbers(name: str) -> tuple[int, int]:
    """The numbers of a delivery that failed with this error, named as in a rule. Raises ConfigError."""
    from eximious.retry.errors import REPLIES, parse

    error = parse(name)
    if error.errno in REPLIES.values():
        digits = "".join(digit if digit.isdigit() else "0" for digit in error.digits)
        return error.errno, int(digits) << 8
    return error.errno, error.more_errno


def show(rule: RetryRule) -> str:
    """The rule in one line."""
    steps = "".join(f"{show_step(step)}; " for step in rule.steps)
    return f"Retry rule: {rule.pattern_source}  {rule.error.name}  {steps}"


def show_step(step: Step) -> str:
    """``F,2h,15m`` or ``G,16h,1h,1.5``."""
    text = f"{step.kind},{show_seconds(step.cutoff)},{show_seconds(step.interval)}"
    return f"{text},{show_fixed(step.factor)}" if step.kind == GEOMETRIC else text
