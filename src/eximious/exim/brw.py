"""``exim -brw ADDRESS``: what the rewriting rules make of an address, wherever it may stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address.parse import AddressError, parse
from eximious.address.rules import address_rules
from eximious.exim.test_logs import show_logs

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation

PLACES = (("sender", "S"), ("from", "F"), ("to", "T"), ("cc", "C"), ("bcc", "B"), ("reply-to", "R"))


def run(call: Invocation) -> int:
    """Show the address as each of the rules' places would have it."""
    if not call.line.arguments:
        call.print("-brw needs an address argument")
        return 1
    if not call.config.rewrite_rules:
        call.print("No rewrite rules are defined")
        return 0
    show_logs(call, names_them=False)
    for line in lines(call.line.arguments[0], call.context()):
        call.print(line)
    return 0


def lines(text: str, context: Context) -> list[str]:
    """What is to be shown."""
    from eximious.rewrite.engine import rewrite_recipient, rewrite_sender, rewrite_smtp
    from eximious.rewrite.header import rewrite_header

    shown: list[str] = []
    rules = context.config.rewrite_rules
    if any("S" in rule.places for rule in rules):
        raw = rewrite_smtp(text, context)
        if raw != text:
            shown.append(f"    SMTP: {raw}")
    if all(rule.places == {"S"} and not rule.manner for rule in rules):
        return shown
    main = context.config.main
    if "@" not in text:
        text = f"{text}@{main.qualify_recipient}"
    try:
        parsed = parse(text, address_rules(context))
    except AddressError as error:
        message = str(error)
        return [*shown, f"Syntax error in {text}", message[:1].upper() + message[1:]]
    for name, kind in PLACES:
        header = rewrite_header(f"X: {text}", kind, context)
        shown.append(f"{name:>8}: {header[3:]}")
    address = parsed.address
    shown.append(f"env-from: {rewrite_sender(address, context) or '<>'}")
    shown.append(f"  env-to: {rewrite_recipient(address, context)}")
    return shown
