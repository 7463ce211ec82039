"""Addresses that were skipped for their syntax: to the log, and to whom ``syntax_errors_to`` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.routers.complaints import log_main

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.routers.redirect import Redirect


def report_skipped(router: Redirect, errors: list[tuple[str, str]], some_are_good: bool, context: Context) -> None:
    """Log every skipped item; queue a note for the postmaster's choice of reader, unless only verifying."""
    for text, fault in errors:
        log_main(context, f'{router.name} router: skipped error: {fault} in "{text}"')
    if router.syntax_errors_to is None or context.facts.get("routing"):
        return
    notes = context.facts.setdefault("skipped_syntax_errors", [])
    notes.append(SkippedErrors(router, errors, some_are_good))


class SkippedErrors:
    """A message to be sent about skipped items; whoever routes for delivery sends it (see `notice`)."""

    __slots__ = ("errors", "router", "some_are_good")

    def __init__(self, router: Redirect, errors: list[tuple[str, str]], some_are_good: bool) -> None:
        self.router = router
        self.errors = errors
        self.some_are_good = some_are_good
