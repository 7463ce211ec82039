"""``exim -bv`` and ``-bvs``: do addresses verify, as recipients or as senders?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.exim.bt import for_each_address

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation
    from eximious.verify.address import Result


def run(call: Invocation) -> int:
    """Verify each address. The exit status is 2 if any fails, else 1 if any cannot be resolved now."""
    context = call.context()
    return for_each_address(call, context, lambda text: _verify(call, context, text))


def _verify(call: Invocation, context: Context, text: str) -> Result:
    from eximious.verify.report import report_verification

    return report_verification(
        text,
        context,
        call.print,
        is_recipient=not call.line.verify_as_sender,
        has_details=call.services.admin,
    )
