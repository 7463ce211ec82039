"""spf: may a client with this address send mail for that mail address? (RFC 7208)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.base import Options, SingleKeyLookup, lookups

if TYPE_CHECKING:
    from eximious.context import Context


class Spf(SingleKeyLookup):
    """The key is a mail address, and what stands for the file the IP address of a client."""

    name = "spf"

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        from eximious.mailauth.program_resolver import ProgramResolver
        from eximious.mailauth.spf import check_mail_from
        from eximious.waiting import wait

        resolver = ProgramResolver(context.services.dns)
        receiver = context.config.main.primary_hostname
        try:
            verdict = wait(check_mail_from(path, key, context.client.helo_name, resolver=resolver, receiver=receiver))
        except ValueError:
            return None  # no IP address
        return verdict.result.value


lookups.register("spf")(Spf())
