"""The way to the rewriting rules, for a configuration that has some."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.context import Context


class Rewriting:
    """Rewrites addresses of the envelope while they come in."""

    __slots__ = ()

    def smtp(self, text: str, context: Context) -> str:
        """What MAIL or RCPT gave, before it is looked at: rules with the flag ``S``."""
        from eximious.rewrite.engine import rewrite_smtp

        return rewrite_smtp(text, context)

    def sender(self, address: str, context: Context) -> str:
        """The envelope sender: rules with the flag ``F``."""
        from eximious.rewrite.engine import rewrite_sender

        return rewrite_sender(address, context)

    def recipient(self, address: str, context: Context) -> str:
        """An envelope recipient: rules with the flag ``T``."""
        from eximious.rewrite.engine import rewrite_recipient

        return rewrite_recipient(address, context)


def rewriting_of(config: Configuration) -> Rewriting | None:
    """None if the configuration has no rules, so that nothing is done at all."""
    return Rewriting() if config.rewrite_rules else None
