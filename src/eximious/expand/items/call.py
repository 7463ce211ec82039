"""``${acl`` and ``${authresults``: what other parts of the policy say."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from eximious.errors import ExpandError, ForcedFail
from eximious.expand.item import item
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.spool.message import Client

MOST_ARGUMENTS = 9


@item("acl", 1, MOST_ARGUMENTS + 1)
def acl(context: Context, name: str, *arguments: str) -> str:
    """The ``message`` of an ACL that accepts or denies; forced failure if it defers."""
    verdict = call_acl(context, name, list(arguments))
    if verdict.result in ("accept", "deny"):
        return str(verdict.user_message)
    if verdict.result == "defer":
        raise ForcedFail(f'DEFER from acl "{name}"')
    raise acl_failure(name, verdict)


def acl_failure(name: str, verdict: Any) -> ExpandError:
    """The error for an ACL that could not decide."""
    return ExpandError(f'{verdict.result.upper()} from acl "{name}"')


def call_acl(context: Context, name: str, arguments: list[str]) -> Any:
    """Run an ACL in the middle of an expansion; gives its eximious.acl.verdict.Verdict."""
    if name.__class__ is Tainted:
        raise ExpandError(f'Using tainted string "{name}" as an ACL name is not permitted')
    engine = importlib.import_module("eximious.acl.engine")
    return engine.evaluate(name, arguments, context)


@item("authresults", 1)
def authresults(context: Context, name: str) -> str:
    """An Authentication-Results: header (RFC 8601) with what was found out about the message."""
    parts = [f"Authentication-Results: {name}", *_results(context)]
    return ";\n\t".join(parts)


def _results(context: Context) -> list[str]:
    """One text for each method, in Exim's order. Features leave theirs in the message's facts."""
    client = context.client
    results: list[str] = []
    if client.host_address:
        results += _reverse_lookup(context)
    results += _authentication(client) or client.auth_results
    for method in ("spf", "dkim", "dmarc", "arc"):
        results += context.message.facts.get(f"authresults_{method}", ())
    return results


def _authentication(client: Client) -> list[str]:
    """Who the client is, if it has proved that."""
    from eximious.mailauth.authres import value_text

    if not client.authenticator_name:
        return []
    name = client.authenticated_id
    return [f"auth=pass ({client.authenticator_public_name}){f' smtp.auth={value_text(name)}' if name else ''}"]


def _reverse_lookup(context: Context) -> list[str]:
    """What looking for the client's name came to; nothing if nobody wanted to know."""
    from eximious.mailauth.authres import comment_text

    client = context.client
    if client.host_name:
        return [f"iprev=pass ({comment_text(client.host_name)}) smtp.remote-ip={client.host_address}"]
    if client.host_lookup_deferred:
        return [f"iprev=temperror smtp.remote-ip={client.host_address}"]
    if client.host_lookup_failed:
        return [f"iprev=fail smtp.remote-ip={client.host_address}"]
    return []
