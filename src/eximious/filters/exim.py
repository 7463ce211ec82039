"""Running Exim filters: a user's for a redirect router, the system filter, and either as a test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.filters.actions import Outcome
from eximious.filters.parse import Rules, parse
from eximious.filters.run import Observer, Run

if TYPE_CHECKING:
    from eximious.context import Context


def is_exim_filter(text: str) -> bool:
    """True for data that begin with ``#Exim filter``."""
    return _heading(text).startswith("exim filter")


def is_sieve_filter(text: str) -> bool:
    """True for data that begin with ``#Sieve filter``."""
    return _heading(text).startswith("sieve filter")


def _heading(text: str) -> str:
    start = text.lstrip()[:64].lower()
    return start[1:].lstrip() if start.startswith("#") else ""


def obey_filter(
    text: str, context: Context, rules: Rules, observer: Observer | None = None, *, qualify_domain: str = ""
) -> Outcome:
    """Run a filter for the context's message and address. Raises FilterError."""
    commands = parse(text, rules)
    # With special rights nothing is written into files that a user names.
    observer = observer or Observer(context, may_log=rules.writes_logs and (rules.is_system or os.geteuid() != 0))
    domain = qualify_domain or context.config.main.qualify_recipient
    run = Run(context, observer, is_system=rules.is_system, qualify_domain=domain)
    run.forbids_logwrite = not rules.may_log
    return run.obey(commands)
