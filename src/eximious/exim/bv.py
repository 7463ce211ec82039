"""``exim -bv`` and ``-bvs``: do addresses verify, as recipients or as senders?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.exim.bt import for_each_address
from eximious.exim.local_jobs import arrange_local_jobs
from eximious.exim.test_logs import show_logs

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation
    from eximious.verify.address import Result


def run(call: Invocation) -> int:
    """Verify each address. The exit status is 2 if any fails, else 1 if any cannot be resolved now."""
    arrange_local_jobs(call)
    context = call.context()
    show_logs(call, names_them=call.line.verbose or bool(call.line.debug))
    return for_each_address(call, context, lambda text: _verify(call, context, text))


def _verify(call: Invocation, context: Context, text: str) -> Result:
    from eximious.verify.report import RoutingReport, report_verification

    is_recipient = not call.line.verify_as_sender
    if call.line.verbose or call.line.debug:
        report = RoutingReport(context, call.print, has_details=call.services.admin)
        report.mode = "R" if is_recipient else "S"
        return report.report(text)
    return report_verification(text, context, call.print, is_recipient=is_recipient, has_details=call.services.admin)
