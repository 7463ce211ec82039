"""Verifying signatures (RFC 6376 section 6)."""

from __future__ import annotations

import base64
import enum
import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eximious.mailauth import message as messages
from eximious.mailauth.canonical import BodyHashes, Digest, relaxed_value
from eximious.mailauth.deadline import within
from eximious.mailauth.dkim import key as keys
from eximious.mailauth.dkim.key import KeyRecord
from eximious.mailauth.dkim.signature import Signature, SignatureFault, is_under, parse
from eximious.mailauth.resolver import Outcome
from eximious.mailauth.together import together

if TYPE_CHECKING:
    from eximious.mailauth.message import Headers
    from eximious.mailauth.resolver import Resolver

ABSENT: Final = "signed, but not there (perhaps on purpose)"  # fields, in traces
MODERN: Final = frozenset({"rsa-sha256", "ed25519-sha256"})  # RFC 8301 section 3.1, RFC 8463


class Result(enum.Enum):
    """The results of RFC 8601 section 2.7.1."""

    NONE = "none"
    PASS = "pass"
    FAIL = "fail"
    POLICY = "policy"
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"

    def __str__(self) -> str:
        return self.value


class Fault(enum.Enum):
    """Why a signature is not good."""

    SYNTAX = "the signature cannot be read"
    EXPIRED = "the signature has expired"
    FUTURE = "the signature is from the future"
    ALGORITHM = "the algorithm is not permitted"
    WEAK_KEY = "the key is too short"
    KEY_UNAVAILABLE = "the key cannot be asked for now"
    NO_KEY = "there is no key"
    KEY_SYNTAX = "the key cannot be read"
    KEY_REVOKED = "the key was revoked"
    KEY_MISUSED = "the key is not for this"
    BODY_HASH = "the body was changed"
    SIGNATURE = "the header was changed, or the key is another"
    TOO_MANY = "there are too many signatures"


_RESULTS: Final = {
    Fault.SYNTAX: Result.NEUTRAL,
    Fault.EXPIRED: Result.FAIL,
    Fault.FUTURE: Result.FAIL,
    Fault.ALGORITHM: Result.POLICY,
    Fault.WEAK_KEY: Result.POLICY,
    Fault.KEY_UNAVAILABLE: Result.TEMPERROR,
    Fault.NO_KEY: Result.PERMERROR,
    Fault.KEY_SYNTAX: Result.PERMERROR,
    Fault.KEY_REVOKED: Result.PERMERROR,
    Fault.KEY_MISUSED: Result.PERMERROR,
    Fault.BODY_HASH: Result.FAIL,
    Fault.SIGNATURE: Result.FAIL,
    Fault.TOO_MANY: Result.POLICY,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What is good enough. Sizes are in bits, times in seconds."""

    algorithms: frozenset[str] = MODERN
    rsa_bits: int = 1024
    ed25519_bits: int = 250
    signatures: int = 20  # that are verified; the topmost first
    skew: int = 300  # that clocks may differ
    max_age: int | None = None  # since t=; None: x= alone counts
    checks_times: bool = True  # whether t= and x= count at all
    seconds: float = 20.0  # for all keys of a message together, beyond which they are unavailable


DEFAULT_POLICY: Final = Policy()


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of one signature. `detail` says more than `fault`; `trace` is the way to the result."""

    result: Result
    signature: Signature
    fault: Fault | None = None
    detail: str = ""
    key: KeyRecord | None = None
    body_hash: bytes = b""  # of the body that came
    body_length: int = 0  # octets of the canonical body
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        one = self.signature
        text = f"{self.result}: d={one.domain} s={one.selector} a={one.algorithm}"
        if self.fault is not None:
            text += f": {self.fault.value}"
            if self.detail:
                text += f" ({self.detail})"
        return text

    @property
    def domain(self) -> str:
        """Who signed."""
        return self.signature.domain

    @property
    def selector(self) -> str:
        """The name of the key."""
        return self.signature.selector

    @property
    def is_testing(self) -> bool:
        """The domain tests, and a failure means nothing."""
        return self.key is not None and self.key.is_testing

    @property
    def unsigned_octets(self) -> int:
        """How much of the body's end l= leaves out."""
        limit = self.signature.length
        return 0 if limit is None else max(0, self.body_length - limit)


class _Pending:
    """A signature on the way to its verification."""

    __slots__ = ("detail", "digest", "fault", "key", "signature", "trace")

    def __init__(self, signature: Signature, fault: Fault | None = None, detail: str = "") -> None:
        self.signature = signature
        self.fault = fault
        self.detail = detail
        self.digest: Digest | None = None
        self.key: KeyRecord | None = None
        self.trace: list[str] = []

    def break_(self, fault: Fault, detail: str = "") -> None:
        """Note what is wrong, unless something is already."""
        if self.fault is None:
            self.fault, self.detail = fault, detail


class Verifier:
    """The verification of one message: made with its header, fed its body, then asked.

    `fetch_keys` may run while the body arrives; `verify` does what was not done. `now` is the UNIX time.
    """

    __slots__ = ("_body", "_finished", "_headers", "_pending", "_policy")

    def __init__(
        self,
        headers: Headers,
        *,
        policy: Policy = DEFAULT_POLICY,
        now: float | None = None,
        body: BodyHashes | None = None,
    ) -> None:
        self._headers = headers
        self._policy = policy
        self._body = body if body is not None else BodyHashes()
        self._finished = body is not None  # then it is somebody else's to feed and to finish
        instant = time.time() if now is None else now
        fields = headers.all(b"dkim-signature")
        self._pending = [self._begun(field, number, instant) for number, field in enumerate(fields[:200])]

    def _begun(self, field: messages.Field, number: int, now: float) -> _Pending:
        if number >= self._policy.signatures:
            return _Pending(Signature(field), Fault.TOO_MANY)
        try:
            signature = parse(field)
        except SignatureFault as fault:
            return _Pending(fault.__dict__["signature"], Fault.SYNTAX, str(fault))
        pending = _Pending(signature)
        self._check_time(pending, now)
        if pending.fault is None:
            pending.digest = self._body.want(
                is_relaxed=signature.is_body_relaxed, algorithm=signature.hash_name, limit=signature.length
            )
        return pending

    def _check_time(self, pending: _Pending, now: float) -> None:
        signature, policy = pending.signature, self._policy
        if not policy.checks_times:
            return
        if signature.expires is not None and signature.expires < now - policy.skew:
            pending.break_(Fault.EXPIRED, f"{int(now) - signature.expires} seconds ago")
        signed_at = signature.signed_at
        if signed_at is not None and signed_at > now + policy.skew:
            pending.break_(Fault.FUTURE, f"{signed_at - int(now)} seconds ahead")
        if signed_at is not None and policy.max_age is not None and signed_at + policy.max_age < now:
            pending.break_(Fault.EXPIRED, f"it is older than {policy.max_age} seconds")

    @property
    def signatures(self) -> list[Signature]:
        """The signatures of the message, the topmost first, whatever they are worth."""
        return [pending.signature for pending in self._pending]

    def feed(self, chunk: bytes) -> None:
        """The next part of the body, its line ends CRLF; it may end anywhere."""
        self._body.feed(chunk)

    async def fetch_keys(self, resolver: Resolver) -> None:
        """Ask for the keys that are not there yet, all at the same time."""
        missing = [pending for pending in self._pending if pending.fault is None and pending.key is None]
        if not missing:
            return
        seconds = self._policy.seconds
        try:
            await within(seconds, _fetch_keys(missing, resolver))
        except TimeoutError:
            for pending in missing:
                if pending.key is None:
                    pending.break_(Fault.KEY_UNAVAILABLE, f"no answer within {seconds:g} seconds")

    async def verify(self, resolver: Resolver) -> tuple[Verification, ...]:
        """The body is complete: one verification for each signature, in the order of the header."""
        if not self._finished:
            self._finished = True
            self._body.finish()
        await self.fetch_keys(resolver)
        return tuple(self._concluded(pending) for pending in self._pending)

    def _concluded(self, pending: _Pending) -> Verification:
        signature, digest = pending.signature, pending.digest
        if pending.fault is None:
            check_key(pending)
        if pending.fault is None and digest is not None:
            check_body(pending, digest)
        if pending.fault is None:
            check_signature(pending, signature.signed_data(self._headers))
            if pending.fault is Fault.SIGNATURE:
                pending.trace += _changes(signature, self._headers)
        if pending.fault is None:
            check_policy(pending, self._policy)
        fault = pending.fault
        return Verification(
            Result.PASS if fault is None else _RESULTS[fault],
            signature,
            fault,
            pending.detail,
            pending.key,
            digest.value if digest is not None else b"",
            digest.length if digest is not None else 0,
            tuple(pending.trace),
        )


async def _fetch_keys(missing: list[_Pending], resolver: Resolver) -> None:
    sharing: dict[str, list[_Pending]] = {}
    for pending in missing:
        sharing.setdefault(pending.signature.key_name, []).append(pending)
    await together([_fetch_key_for(group, resolver) for group in sharing.values()])


async def _fetch_key_for(sharing: list[_Pending], resolver: Resolver) -> None:
    """The key of signatures that name the same one; what has been asked is answered from a cache."""
    for pending in sharing:
        await fetch_key(pending, resolver)


async def fetch_key(pending: _Pending, resolver: Resolver) -> None:
    """Find the signature's key, or say why there is none."""
    name = pending.signature.key_name
    answer = await resolver.query(name, "TXT")
    if answer.outcome is Outcome.FAILED:
        pending.break_(Fault.KEY_UNAVAILABLE, answer.why)
        return
    if answer.outcome is not Outcome.FOUND:
        pending.break_(Fault.NO_KEY, f"no TXT record at {name}")
        return
    found = keys.from_answer(answer)
    if isinstance(found, str):
        pending.break_(Fault.KEY_SYNTAX, found)
        return
    pending.key = found
    pending.trace.append(f"key at {name}: {found.type}, {found.bits} bits")


def check_key(pending: _Pending) -> None:
    """Is the key for such a signature?"""
    signature, key = pending.signature, pending.key
    assert key is not None
    if key.is_revoked:
        pending.break_(Fault.KEY_REVOKED)
    elif key.type != signature.key_type:
        pending.break_(Fault.KEY_MISUSED, f"it is a {key.type} key")
    elif key.hashes and signature.hash_name not in key.hashes:
        pending.break_(Fault.KEY_MISUSED, f"h= does not allow {signature.hash_name}")
    elif not key.services & {"*", "email"}:
        pending.break_(Fault.KEY_MISUSED, "s= is not for mail")
    elif key.is_strict and signature.identity.rpartition("@")[2].lower() not in ("", signature.domain.lower()):
        pending.break_(Fault.KEY_MISUSED, "t=s does not allow i= in a subdomain")


def check_body(pending: _Pending, digest: Digest) -> None:
    """Is it the body that was signed?"""
    signature = pending.signature
    if signature.length is not None and signature.length > digest.length:
        pending.break_(Fault.BODY_HASH, f"l= is {signature.length}, the body has {digest.length} octets")
    elif digest.value != signature.body_hash:
        got, expected = (base64.b64encode(one).decode("ascii") for one in (digest.value, signature.body_hash))
        pending.break_(Fault.BODY_HASH, f"bh= is {expected}, the body's is {got}")
    else:
        pending.trace.append(f"body hash agrees: {digest.length} octets, {signature.canonicalization}")


def check_signature(pending: _Pending, data: bytes) -> None:
    """Is it the owner's signature of these octets?"""
    signature, key = pending.signature, pending.key
    assert key is not None
    digest = b"" if signature.key_type == "rsa" else hashlib.new(signature.hash_name, data).digest()
    if not key.verify(signature.data, data, digest, signature.hash_name):
        pending.break_(Fault.SIGNATURE)


def check_policy(pending: _Pending, policy: Policy) -> None:
    """The signature is good, but is it good enough?"""
    signature, key = pending.signature, pending.key
    assert key is not None
    if signature.algorithm not in policy.algorithms:
        pending.break_(Fault.ALGORITHM, signature.algorithm)
    elif key.bits < (policy.rsa_bits if key.type == "rsa" else policy.ed25519_bits):
        pending.break_(Fault.WEAK_KEY, f"{key.bits} bits")


def _changes(signature: Signature, headers: Headers) -> list[str]:
    """What can be said about how the header was changed: exactly with z=, else which signed fields are not there."""
    found = []
    for name, value in copies(signature.copied):
        fields = headers.all(name.encode("latin-1"))
        wanted = relaxed_value(value)
        if not any(relaxed_value(field.value) == wanted for field in fields):
            now = " / ".join(field.text.strip() for field in fields) or "missing"
            found.append(f'{name} was "{value.decode("latin-1").strip()}" when it was signed, and is {now}'[:1000])
    if not found:
        missing = sorted(set(signature.headers) - {field.name for field in headers.fields})
        if missing:
            names = b", ".join(missing).decode("latin-1")
            found.append(f"{ABSENT}: {names}"[:1000])
    return found


_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_SPACES: Final = re.compile(rb"[ \t\r\n]+")


def copies(text: str) -> list[tuple[str, bytes]]:
    """The header fields in z=: name in lower case, and value (DKIM quoted-printable)."""
    found = []
    for part in text.split("|"):
        name, colon, value = part.partition(":")
        if colon:
            data = _SPACES.sub(b"", value.encode("latin-1"))
            found.append((name.strip().lower(), _HEX.sub(lambda one: bytes([int(one[1], 16)]), data)))
    return found


async def verify(
    message: bytes, resolver: Resolver, *, policy: Policy = DEFAULT_POLICY, now: float | None = None
) -> tuple[Verification, ...]:
    """Verify all signatures of a message in one piece. No signatures, no verifications."""
    headers, body = messages.split(message)
    verifier = Verifier(headers, policy=policy, now=now)
    verifier.feed(body)
    return await verifier.verify(resolver)


__all__ = ["DEFAULT_POLICY", "Fault", "Policy", "Result", "Verification", "Verifier", "is_under", "verify"]
