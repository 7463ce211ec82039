"""``exim -brw ADDRESS``: what the rewriting rules make of an address, wherever it may stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address.parse import AddressError, is_qualified, parse
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
    if any("S" in rule.places for rule in context.config.rewrite_rules):
        raw = rewrite_smtp(text, context)
        if raw != text:
            shown.append(f"    SMTP: {raw}")
    main = context.config.main
    try:
        parsed = parse(text, address_rules(context))
    except AddressError as error:
        message = str(error)
        written = text if "@" in text else f"{text}@{main.qualify_domain}"
        return [*shown, f"Syntax error in {written}", message[:1].upper() + message[1:]]
    for name, kind in PLACES:
        domain = main.qualify_recipient if kind in "TCB" else main.qualify_domain
        header = rewrite_header(f"X: {text}", kind, context, domain)
        shown.append(f"{name:>8}: {header[3:]}")
    address = parsed.address
    if not is_qualified(address):
        address = f"{address}@{main.qualify_domain}"
    shown.append(f"env-from: {rewrite_sender(address, context) or '<>'}")
    shown.append(f"  env-to: {rewrite_recipient(address, context)}")
    return shown
