"""What a configuration allows in addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address.parse import Rules

if TYPE_CHECKING:
    from eximious.context import Context


def address_rules(context: Context) -> Rules:
    """The rules for addresses that have to do with the context's message.

    Only what comes by SMTP is held to allow_domain_literals.
    """
    main = context.config.main
    return Rules(
        allow_domain_literals=main.allow_domain_literals or context.session is None,
        strip_trailing_dot=main.strip_trailing_dot,
        allow_utf8_domains=main.allow_utf8_domains,
        smtp_utf8=context.message.smtp_utf8,
    )
