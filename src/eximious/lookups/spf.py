"""spf: may that address send for this sender? The key is a mail address, the "file" an IP address."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from eximious.errors import Defer
from eximious.lookups.base import Options, SingleKeyLookup, lookups
from eximious.waiting import wait

if TYPE_CHECKING:
    from eximious.context import Context


class SpfLookup(SingleKeyLookup):
    """``${lookup {user@domain} spf {192.0.2.1}}``: pass, fail, softfail, neutral, none, permerror or temperror."""

    name = "spf"

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        """The result of SPF, or Defer for what is no address."""
        from eximious.mailauth.program_resolver import ProgramResolver
        from eximious.mailauth.spf import check_mail_from

        try:
            address = str(ip_address(path.strip()))
        except ValueError:
            raise Defer(f'"{path}" is not an IP address') from None
        resolver = ProgramResolver(context.services.dns)
        return str(wait(check_mail_from(address, str(key), "", resolver=resolver)).result)


lookups.register("spf")(SpfLookup())
