"""Who does jobs as other users for a one-shot process: forked processes of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation


def arrange_local_jobs(call: Invocation) -> None:
    """Let the services of this process do local deliveries, with the rights that it has."""
    from eximious.deliver.local import ForkedJobs

    call.services.local = ForkedJobs(frozenset({0, *(call.config.main.never_users or ())}))
