"""What ``verify = sender``, ``recipient`` and ``header_sender`` in ACLs ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.verify.address import Request, Verified, verify_address

if TYPE_CHECKING:
    from eximious.acl.verify_options import VerifyOptions
    from eximious.context import Context


def verify(
    address: str, options: VerifyOptions, context: Context, *, is_recipient: bool, has_fake_sender: bool = False
) -> Verified:
    """Verify an address as the condition wants it.

    An address without a domain gets one only from a client that may send such. `has_fake_sender`: as if the message had
    the null sender.
    """
    message = context.message
    qualifies = message.allow_unqualified_recipient if is_recipient else message.allow_unqualified_sender
    request = Request(
        is_recipient=is_recipient,
        qualifies=qualifies or not context.client.host_address,
        success_on_redirect=options.success_on_redirect,
        has_fake_sender=has_fake_sender,
        callout=options.callout,
    )
    verified = verify_address(address, context, request)
    if verified and options.quota is not None and is_recipient:
        from eximious.verify.quota import check_quota

        check_quota(verified, options.quota, context)
    return verified
