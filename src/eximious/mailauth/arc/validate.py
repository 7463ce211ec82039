"""Validating a chain (RFC 8617 section 5.2)."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final

from eximious.mailauth import message as messages
from eximious.mailauth.arc.chain import (
    MESSAGE,
    RESULTS,
    SEAL,
    Chain,
    ChainFault,
    ChainResult,
    Link,
    Set,
    highest_instance,
    seal_status,
    sets,
)
from eximious.mailauth.canonical import BodyHashes, Digest
from eximious.mailauth.deadline import within
from eximious.mailauth.dkim import key as keys
from eximious.mailauth.dkim.key import KeyRecord
from eximious.mailauth.dkim.signature import Signature, unsigned
from eximious.mailauth.dkim.verify import DEFAULT_POLICY, Policy
from eximious.mailauth.resolver import Outcome
from eximious.mailauth.together import together

if TYPE_CHECKING:
    from eximious.mailauth.message import Headers
    from eximious.mailauth.resolver import Resolver

BODY_HASHES: Final = 10  # different hashes of the body that are made for one chain


class _Bad(Exception):
    """A signature is not good."""

    def __init__(self, text: str, is_temporary: bool = False) -> None:
        super().__init__(text)
        self.is_temporary = is_temporary


class Validator:
    """The validation of one message's chain: made with its header, fed its body, then asked.

    With `body`, somebody else feeds and finishes the hashes: a DKIM verifier of the same message may share them.
    `all_messages` also checks the message signatures of earlier sets, which tells the oldest pass.
    """

    __slots__ = ("_all", "_body", "_digests", "_fault", "_finished", "_keys", "_now", "_policy", "_sets", "headers")

    def __init__(
        self,
        headers: Headers,
        *,
        policy: Policy = DEFAULT_POLICY,
        now: float | None = None,
        body: BodyHashes | None = None,
        all_messages: bool = True,
    ) -> None:
        self.headers = headers
        self._policy = policy
        self._now = time.time() if now is None else now
        self._all = all_messages
        self._body = body if body is not None else BodyHashes()
        self._finished = body is not None
        self._keys: dict[str, KeyRecord | _Bad] = {}
        self._digests: dict[int, Digest] = {}
        self._sets: list[Set] = []
        self._fault: ChainFault | None = None
        try:
            self._sets = sets(headers)
            self._check_statuses()
        except ChainFault as fault:
            self._fault = fault
        else:
            self._want_hashes()

    @property
    def is_needed(self) -> bool:
        """There is a chain, and the body is needed to judge it."""
        return bool(self._sets) and self._fault is None

    def _check_statuses(self) -> None:
        for one in reversed(self._sets):
            assert one.seal is not None
            status = one.seal.tags["cv"]
            if status == "fail":
                raise ChainFault(f"i={one.instance} says that the chain fails", one.instance)
            if status != ("none" if one.instance == 1 else "pass"):
                raise ChainFault(f"i={one.instance} has cv={status}", one.instance)

    def _want_hashes(self) -> None:
        wanted: set[tuple[bool, str, int | None]] = set()
        for one in reversed(self._sets):
            signature = one.message
            assert signature is not None
            key = (signature.is_body_relaxed, signature.hash_name, signature.length)
            if key in wanted or len(wanted) < BODY_HASHES:
                wanted.add(key)
                self._digests[one.instance] = self._body.want(
                    is_relaxed=signature.is_body_relaxed, algorithm=signature.hash_name, limit=signature.length
                )
            if not self._all:
                break

    def feed(self, chunk: bytes) -> None:
        """The next part of the body, its line ends CRLF; it may end anywhere."""
        self._body.feed(chunk)

    async def fetch_keys(self, resolver: Resolver) -> None:
        """Ask for the keys of the seals, which `validate` needs in any case. May run while the body arrives."""
        if self._fault is not None:
            return
        try:
            await within(self._policy.seconds, self._fetch_keys(resolver))
        except TimeoutError:
            for one in self._sets:
                assert one.seal is not None
                self._keys.setdefault(one.seal.key_name.lower(), self._too_slow())

    async def _fetch_keys(self, resolver: Resolver) -> None:
        seals = {one.seal.key_name.lower(): one.seal for one in self._sets if one.seal is not None}
        await together([self._note_key(seal, resolver) for seal in seals.values()])

    async def _note_key(self, signature: Signature, resolver: Resolver) -> None:
        await self._look_up(signature, resolver)

    def _too_slow(self) -> _Bad:
        return _Bad(f"the keys cannot be asked for now: no answer within {self._policy.seconds:g} seconds", True)

    async def validate(self, resolver: Resolver) -> Chain:
        """The body is complete: what the chain is worth."""
        if not self._finished:
            self._finished = True
            self._body.finish()
        if self._fault is not None:
            return Chain(ChainResult.FAIL, str(self._fault), self._unchecked())
        if not self._sets:
            return Chain(ChainResult.NONE)
        try:
            return await within(self._policy.seconds, self._validate(resolver))
        except TimeoutError:
            return Chain(ChainResult.FAIL, str(self._too_slow()), self._unchecked(), is_temporary=True)

    def _unchecked(self) -> tuple[Link, ...]:
        """The sets, when the structure alone decides."""
        return tuple(_link(one, None, None, "") for one in self._sets)

    async def _validate(self, resolver: Resolver) -> Chain:
        newest = self._sets[-1]
        message_faults: dict[int, _Bad | None] = {}
        oldest_pass = 0
        for one in reversed(self._sets):
            bad = message_faults[one.instance] = await self._message_fault(one, resolver)
            if bad is not None and one is not newest:
                oldest_pass = one.instance + 1
                break
            if not self._all:
                break
        seal_faults: dict[int, _Bad | None] = {}
        for one in reversed(self._sets):
            seal_faults[one.instance] = await self._seal_fault(one, resolver)
        links = []
        for one in self._sets:
            looked = one.instance in message_faults
            message, seal = message_faults.get(one.instance), seal_faults[one.instance]
            fault = str(message or seal or "")
            links.append(_link(one, message is None if looked else None, seal is None, fault))
        first = message_faults[newest.instance]
        if first is not None:
            return self._failed(f"i={newest.instance}: the message signature: {first}", links, first.is_temporary)
        for one in reversed(self._sets):
            seal = seal_faults[one.instance]
            if seal is not None:
                return self._failed(f"i={one.instance}: the seal: {seal}", links, seal.is_temporary)
        return Chain(ChainResult.PASS, "", tuple(links), oldest_pass)

    def _failed(self, reason: str, links: list[Link], is_temporary: bool) -> Chain:
        return Chain(ChainResult.FAIL, reason, tuple(links), 0, is_temporary)

    async def _message_fault(self, one: Set, resolver: Resolver) -> _Bad | None:
        signature, digest = one.message, self._digests.get(one.instance)
        assert signature is not None
        try:
            if digest is None:
                raise _Bad("it hashes the body in yet another way")
            if signature.length is not None and signature.length > digest.length:
                raise _Bad("l= is more than the body has")
            if digest.value != signature.body_hash:
                raise _Bad("the body was changed")
            if signature.expires is not None and signature.expires < self._now - self._policy.skew:
                raise _Bad("it has expired")
            await self._verify(signature, signature.signed_data(self.headers), resolver)
        except _Bad as bad:
            return bad
        return None

    async def _seal_fault(self, one: Set, resolver: Resolver) -> _Bad | None:
        assert one.seal is not None
        try:
            await self._verify(one.seal, sealed_data(self._sets[: one.instance]), resolver)
        except _Bad as bad:
            return bad
        return None

    async def _verify(self, signature: Signature, data: bytes, resolver: Resolver) -> None:
        """Raises _Bad."""
        key = await self._key(signature, resolver)
        if key.is_revoked:
            raise _Bad("the key was revoked")
        if key.type != signature.key_type or (key.hashes and signature.hash_name not in key.hashes):
            raise _Bad("the key is not for this")
        if signature.algorithm not in self._policy.algorithms:
            raise _Bad(f"{signature.algorithm} is not permitted")
        if key.bits < (self._policy.rsa_bits if key.type == "rsa" else self._policy.ed25519_bits):
            raise _Bad(f"the key has only {key.bits} bits")
        digest = b"" if key.type == "rsa" else hashlib.new(signature.hash_name, data).digest()
        if not key.verify(signature.data, data, digest, signature.hash_name):
            raise _Bad("the header was changed, or the key is another")

    async def _key(self, signature: Signature, resolver: Resolver) -> KeyRecord:
        known = await self._look_up(signature, resolver)
        if isinstance(known, _Bad):
            raise _Bad(str(known), known.is_temporary)
        return known

    async def _look_up(self, signature: Signature, resolver: Resolver) -> KeyRecord | _Bad:
        name = signature.key_name.lower()
        known = self._keys.get(name)
        if known is None:
            known = self._keys[name] = await _fetched(name, resolver)
        return known


async def _fetched(name: str, resolver: Resolver) -> KeyRecord | _Bad:
    answer = await resolver.query(name, "TXT")
    if answer.outcome is Outcome.FAILED:
        return _Bad(f"the key {name} cannot be asked for now: {answer.why}", True)
    if answer.outcome is not Outcome.FOUND:
        return _Bad(f"there is no key at {name}")
    found = keys.from_answer(answer)
    return _Bad(f"the key at {name} cannot be read: {found}") if isinstance(found, str) else found


def sealed_data(chain: list[Set]) -> bytes:
    """The octets that the seal of the last set is of (RFC 8617 section 5.1.1); with cv=fail that set is alone."""
    parts = []
    last = chain[-1]
    for one in chain:
        results, message, seal = one.complete()
        parts += [results.relaxed, message.field.relaxed]
        parts.append(unsigned(seal.field).relaxed[:-2] if one is last else seal.field.relaxed)
    return b"".join(parts)


def _link(one: Set, message: bool | None, seal: bool | None, fault: str) -> Link:
    results, _, sealed = one.complete()
    return Link(one.instance, sealed.domain, sealed.selector, results.text, sealed.signed_at, message, seal, fault)


async def validate(
    message: bytes, resolver: Resolver, *, policy: Policy = DEFAULT_POLICY, now: float | None = None
) -> Chain:
    """Validate the chain of a message in one piece."""
    headers, body = messages.split(message)
    validator = Validator(headers, policy=policy, now=now)
    validator.feed(body)
    return await validator.validate(resolver)


__all__ = ["MESSAGE", "RESULTS", "SEAL", "Validator", "highest_instance", "seal_status", "validate"]
