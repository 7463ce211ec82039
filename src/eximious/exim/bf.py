"""``exim -bf FILE`` and ``-bF FILE``: what a filter would do with the message on standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eximious.filters.exim import is_exim_filter, is_sieve_filter, obey_filter
from eximious.filters.lexer import FilterError
from eximious.filters.parse import Rules
from eximious.filters.report import Reporter

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation

REFUSED_IN_LISTS = frozenset({"defer", "fail"})


def run(call: Invocation) -> int:
    """Test the system filter (-bF), the user's filter (-bf), or both. The exit status is 0, or 1 after an error."""
    from eximious.exim.filter_message import read_filter_message

    line = call.line
    texts: list[tuple[str, str, bool]] = []
    for path, is_system in ((line.system_filter_file, True), (line.filter_file, False)):
        if path:
            text = _text_of(call, path)
            if text is None:
                return 1
            texts.append((path, text, is_system))
    context = call.context()
    read_filter_message(call, context)
    return 0 if all(_test(call, context, *each) for each in texts) else 1


def _text_of(call: Invocation, path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return file.read().decode("latin-1")
    except OSError as error:
        call.complain(f"exim: failed to open {path}: {error.strerror}")
        return None


def _test(call: Invocation, context: Context, path: str, text: str, is_system: bool) -> bool:
    """Run one filter and show what it does; False if it cannot be run."""
    if is_sieve_filter(text):
        call.complain("exim: this version has no Sieve filters")
        return False
    if not is_system and not is_exim_filter(text):
        call.print(f'Testing forward file file "{path}"\n')
        return _show_forward_file(call, context, text)
    call.print(f'Testing Exim filter file "{path}"\n')
    reporter = Reporter(context, call.print)
    try:
        outcome = obey_filter(text, context, Rules(is_system=is_system), reporter)
    except FilterError as error:
        call.print(f"Filter error: {error}")
        return False
    reporter.conclude(outcome)
    return True


def _show_forward_file(call: Invocation, context: Context, text: str) -> bool:
    """What addresses a forward file that is no filter would generate."""
    from eximious.routers.redirect_list import RedirectError, Rules, parse_list
    from eximious.routers.redirect_rules import parse_address, read_include

    rules = Rules(lambda item: parse_address(item, context), lambda path: read_include(path, None), REFUSED_IN_LISTS)
    try:
        found = parse_list(text, rules)
    except RedirectError as error:
        call.complain(f"exim: error in forward file: {error}")
        return False
    sys.stdout.flush()
    if found.special:
        call.complain(f'exim: forwardfile contains ":{found.special}:"')
    if not found.items:
        call.complain("exim: no addresses generated from forward file")
        return True
    call.complain("exim: forward file generated:")
    for item in reversed(found.items):
        has_domain = item.kind.value != "address" or "@" in item.text
        call.complain(f"  {item.text if has_domain else f'{item.text}@{call.config.main.qualify_recipient}'}")
    return True
