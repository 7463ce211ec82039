"""ARC in words, set by set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.mailauth.arc.chain import Chain, ChainResult, Link, sets
from eximious.mailauth.damage import diagnose
from eximious.mailauth.damage.diagnosis import signed_hash
from eximious.mailauth.dkim import key as keys
from eximious.mailauth.explain.finding import Finding

if TYPE_CHECKING:
    from eximious.mailauth.message import Headers
    from eximious.mailauth.resolver import Resolver


async def explained(chain: Chain, headers: Headers, body: bytes, resolver: Resolver) -> Finding:
    """The finding for the chain; `body` has CRLF line ends."""
    details = []
    for link in chain.links:
        details.append(str(link))
        details += [f"  it says {one}" for one in _results(link)]
    remedy = ""
    if chain.oldest_pass > 1:
        details.append(f"the message was changed between i={chain.oldest_pass - 1} and i={chain.oldest_pass}")
    if chain.result is ChainResult.FAIL:
        remedy = "the chain stays broken: hosts that change a sealed message have to add a set of their own"
        newest = chain.links[-1] if chain.links else None
        if chain.is_temporary:
            remedy = "try again later; if it stays, look at the name servers of the sealer"
        elif newest is None or newest.seal_passes is None:
            remedy = "the host that wrote the ARC fields must be mended, or those after it must not drop any of them"
        elif newest.message_passes is False:
            lines, found = await _damage(headers, body, resolver)
            details += [f"i={newest.instance}: {line}" for line in lines]
            remedy = found or remedy
        else:
            details += await _broken_seal(chain, headers, resolver)
    return Finding("ARC", chain.result.value, str(chain), tuple(details), remedy)


def _results(link: Link) -> list[str]:
    found = link.authentication_results
    return [] if found is None else [str(one) for one in found.results[:20]]


async def _damage(headers: Headers, body: bytes, resolver: Resolver) -> tuple[tuple[str, ...], str]:
    """What became of the message since the newest set, and what would mend it."""
    newest = sets(headers)[-1].message
    assert newest is not None
    key = keys.from_answer(await resolver.query(newest.key_name, "TXT"))
    if isinstance(key, str) or key.type != newest.key_type:
        return (), "publish the sealer's key"
    found = diagnose(newest, key, headers, body)
    return found.lines, found.remedy


async def _broken_seal(chain: Chain, headers: Headers, resolver: Resolver) -> list[str]:
    """Whether the fields or the key are wrong for the newest seal that fails, as far as its key tells."""
    instance = max(link.instance for link in chain.links if link.seal_passes is False)
    seal = sets(headers)[instance - 1].seal
    assert seal is not None
    key = keys.from_answer(await resolver.query(seal.key_name, "TXT"))
    if isinstance(key, str) or key.type != "rsa" or seal.key_type != "rsa":
        return []
    if signed_hash(seal, key) is None:
        return [f"i={instance}: the seal was not made with the published key, or was itself damaged"]
    return [f"i={instance}: the key is the sealer's; an ARC field of the sets up to i={instance} was changed"]
