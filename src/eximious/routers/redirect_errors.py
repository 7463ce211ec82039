"""What was skipped for its syntax: to the log, and to whom ``syntax_errors_to`` names."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from eximious.errors import Defer, EximiousError, ExpandError
from eximious.routers.complaints import log_main, log_main_and_panic

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.routers.redirect import Redirect

SUBJECT = "error(s) in forwarding or filtering"


def report_skipped(router: Redirect, errors: list[tuple[str, str]], some_are_good: bool, context: Context) -> None:
    """Log every fault, as (text that has it, fault), and tell whoever is to know, unless this is only a test.

    The text is "" for a fault of a whole filter. `some_are_good`: other items of the list could be used.
    """
    for text, fault in errors:
        where = f' in "{text}"' if text else ""
        log_main(context, f"{router.name} router: skipped error: {fault}{where}")
    if router.syntax_errors_to is None or context.facts.get("routing") != "" or not context.message.id:
        return
    recipient = _expanded(router, router.syntax_errors_to, "syntax_errors_to", context)
    if recipient:
        _send(recipient, notice(router, errors, some_are_good, recipient, context), context)


def _expanded(router: Redirect, template: Template, name: str, context: Context) -> str:
    try:
        return template.expand(context)
    except (ExpandError, Defer) as error:
        log_main_and_panic(context, f'Failed to expand {name} "{template.source}" for {router.name} router: {error}')
        return ""


def notice(
    router: Redirect, errors: list[tuple[str, str]], some_are_good: bool, recipient: str, context: Context
) -> str:
    """The message about the faults."""
    main = context.config.main
    lines = [
        "Auto-Submitted: auto-replied",
        f"From: Mail Delivery System <Mailer-Daemon@{main.qualify_domain}>",
        f"To: {recipient}",
        f"Subject: {SUBJECT}",
        "",
        f"References: <E{context.message.id}@{main.primary_hostname}>",
    ]
    if router.syntax_errors_text is not None:
        text = _expanded(router, router.syntax_errors_text, "syntax_errors_text", context)
        lines += [text.rstrip("\n"), ""]
    lines += [f"The {router.name} router encountered the following error(s):", ""]
    for item, fault in errors:
        lines.append(f"  {fault} in the address" if item else f"  {fault}")
        if item:
            lines.append(f'  "{item}"')
        lines.append("")
    lines.append("Other addresses were processed normally." if some_are_good else "No valid addresses were generated.")
    return "\n".join(lines) + "\n"


def _send(recipient: str, text: str, context: Context) -> None:
    """Submit the message. That it cannot be sent does not hold up the one that is being routed."""
    # Submission is a layer above the routers.
    submit = import_module("eximious.deliver.submit").submit
    octets = text.encode("latin-1", "replace")
    try:
        submit(context.services, [recipient], octets, about=context.message.id, uid=os.geteuid(), gid=os.getegid())
    except EximiousError as error:
        log_main(context, f"message about skipped syntax errors could not be sent: {error}")
