"""After the deliveries of a message: who has to be told what."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.deliver.progress import Progress


def send_reports(progress: Progress) -> None:
    """Send success notifications, bounces and warnings, as far as they are due."""
    if progress.notify_success:
        from eximious.deliver.success import send_success_reports

        send_success_reports(progress)
    if progress.failed:
        from eximious.deliver.bounce import send_bounces

        send_bounces(progress)
    if progress.deferred:
        from eximious.deliver.warning import send_warnings

        send_warnings(progress)
