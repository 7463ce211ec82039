"""Variables about DKIM: the signatures of a message that came in, and those that a transport makes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from eximious.expand.variable import variable
from eximious.mailauth.taglist import decoded, parse, unquoted
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.spool.message import Message

NO_LIMIT: Final = "9999999999999"  # so that comparisons always have a number


_HARMLESS: Final = re.compile(r"[A-Za-z0-9:._@-]*")


def _marked(text: str) -> str:
    """Text of a signature: tainted, unless no letter of it means anything to anybody.

    An ACL may stand in the option acl_smtp_dkim with these variables in it; it must be possible to write the names of
    ordinary signers there, and impossible that a signature brings a ``${run`` along (CVE-2011-1407).
    """
    return text if _HARMLESS.fullmatch(text) else Tainted(text)


def _signature(message: Message) -> Any:
    """The signature that acl_smtp_dkim is asked about."""
    found = message.facts.get("dkim")
    return None if found is None or found.current is None else found.current.verification.signature


def _last(message: Message) -> Any:
    """The same; after it the last one that there was, when the ACL is run for a signer who has not signed."""
    found = message.facts.get("dkim")
    return None if found is None or found.last is None else found.last.verification.signature


def _key(message: Message) -> Any:
    found = message.facts.get("dkim")
    return None if found is None or found.current is None else found.current.verification.key


def _signing(context: Context, name: str) -> str | None:
    """What a transport is signing with at the moment."""
    found: str | None = context.facts.get(f"dkim_signing_{name}")
    return found


@variable
def dkim_signers(message: Message) -> str | None:
    """The domains and identities that signed the message, as a list."""
    found = message.facts.get("dkim")
    return None if found is None else _marked(":".join(found.signers))


@variable
def dkim_cur_signer(message: Message) -> str | None:
    """The domain or identity that acl_smtp_dkim is asked about."""
    found = message.facts.get("dkim")
    return None if found is None else _marked(found.signer)


@variable
def dkim_verify_signers(message: Message) -> str | None:
    """The signers for which acl_smtp_dkim runs: the expanded option of that name."""
    found = message.facts.get("dkim")
    return None if found is None else _marked(":".join(found.wanted))


@variable
def dkim_verify_status(message: Message) -> str | None:
    """``none``, ``invalid``, ``fail`` or ``pass``; after acl_smtp_dkim a list of what each run came to."""
    found = message.facts.get("dkim")
    return None if found is None else found.status


@variable
def dkim_verify_reason(message: Message) -> str | None:
    """Why the signature is not good."""
    found = message.facts.get("dkim")
    return None if found is None else found.reason


@variable
def dkim_domain(context: Context) -> str | None:
    """The signing domain; in a transport, the one that is signed for."""
    signing = _signing(context, "domain")
    if signing is not None:
        return signing
    one = _last(context.message)
    return None if one is None else _marked(one.domain)


@variable
def dkim_selector(context: Context) -> str | None:
    """The name of the key; in a transport, of the one that is signed with."""
    signing = _signing(context, "selector")
    if signing is not None:
        return signing
    one = _last(context.message)
    return None if one is None else _marked(one.selector)


@variable
def dkim_identity(message: Message) -> str | None:
    """The identity (i=) of the signature, if it has one."""
    one = _signature(message)
    return None if one is None else _marked(unquoted(one.tags.get("i", "")))


@variable
def dkim_algo(message: Message) -> str | None:
    """``rsa-sha256``, ``ed25519-sha256``, ..."""
    one = _signature(message)
    return None if one is None else one.algorithm


@variable
def dkim_canon_body(message: Message) -> str | None:
    """``relaxed`` or ``simple``: how the body is hashed."""
    one = _signature(message)
    return None if one is None else ("relaxed" if one.is_body_relaxed else "simple")


@variable
def dkim_canon_headers(message: Message) -> str | None:
    """``relaxed`` or ``simple``: how the headers are hashed."""
    one = _signature(message)
    return None if one is None else ("relaxed" if one.is_header_relaxed else "simple")


@variable
def dkim_copiedheaders(message: Message) -> str | None:
    """The headers as they were when they were signed (z=)."""
    one = _signature(message)
    return None if one is None else Tainted(unquoted(one.copied))


@variable
def dkim_bodylength(message: Message) -> str:
    """How many octets of the body are signed (l=); a very large number if all are."""
    one = _signature(message)
    return NO_LIMIT if one is None or one.length is None else str(one.length)


@variable
def dkim_created(message: Message) -> str:
    """When it was signed, as UNIX time; 0 if it does not say."""
    one = _signature(message)
    return "0" if one is None else str(one.signed_at or 0)


@variable
def dkim_expires(message: Message) -> str:
    """Until when it is good, as UNIX time; a very large number if it does not say."""
    one = _signature(message)
    return NO_LIMIT if one is None or one.expires is None else str(one.expires)


@variable
def dkim_headernames(message: Message) -> str | None:
    """The names of the headers that are signed, as a list."""
    one = _signature(message)
    return None if one is None else _marked("".join(one.tags.get("h", "").split()))


@variable
def dkim_key_testing(message: Message) -> str:
    """``1`` if the domain only tests."""
    key = _key(message)
    return "0" if key is None else str(int(key.is_testing))


@variable
def dkim_key_nosubdomains(message: Message) -> str:
    """``1`` if the key is not for subdomains."""
    key = _key(message)
    return "0" if key is None else str(int(key.is_strict))


@variable
def dkim_key_srvtype(message: Message) -> str:
    """The services that the key is for."""
    key = _key(message)
    return "*" if key is None else Tainted(":".join(sorted(key.services)))


@variable
def dkim_key_granularity(message: Message) -> str:
    """A tag of an older version of DKIM, which no longer counts."""
    key = _key(message)
    return "*" if key is None else Tainted(parse(key.text).get("g", "*"))


@variable
def dkim_key_notes(message: Message) -> str | None:
    """Notes in the key's record."""
    key = _key(message)
    return None if key is None else Tainted(decoded(key.notes))


@variable
def dkim_key_length(message: Message) -> str:
    """The bits of the last key that was needed."""
    found = message.facts.get("dkim")
    return "0" if found is None else str(found.key_bits)
