"""``ldapauth``: does an LDAP server accept user and password?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.condition import condition

if TYPE_CHECKING:
    from eximious.context import Context


@condition("ldapauth", 1)
def ldapauth(context: Context, query: str) -> bool:
    """``user=... pass=... ldap://server/`` can bind."""
    from eximious.lookups.ldap import authenticate

    return authenticate(query, context)
