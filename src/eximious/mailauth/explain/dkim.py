"""DKIM in words: what became of each signature, what broke it, and what would mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.mailauth.damage import diagnose
from eximious.mailauth.dkim.verify import ABSENT, Fault, Verification
from eximious.mailauth.explain.finding import Finding

if TYPE_CHECKING:
    from eximious.mailauth.message import Headers

BROKEN: Final = (Fault.BODY_HASH, Fault.SIGNATURE)
DIAGNOSES: Final = 5  # signatures of a message that are looked into
REMEDIES: Final = {
    Fault.SYNTAX: "the signing software must be mended",
    Fault.EXPIRED: "deliver before x=, or sign for longer",
    Fault.FUTURE: "set the clock of the host that signs, or of the one that verifies",
    Fault.ALGORITHM: "sign with rsa-sha256 or ed25519-sha256",
    Fault.WEAK_KEY: "make a key of 2048 bits, and publish it under a new selector",
    Fault.KEY_UNAVAILABLE: "try again later; if it stays, look at the name servers of the domain",
    Fault.NO_KEY: "publish the key at that name, or sign with the selector that has one",
    Fault.KEY_SYNTAX: "correct the TXT record of the key",
    Fault.KEY_REVOKED: "sign with a selector whose key was not revoked (its p= is empty)",
    Fault.TOO_MANY: "sign less often",
}
_MISUSES: Final = {
    "t=s": "leave t=s out of the key record, or sign with the domain of i= as d=",
    "h=": "add the hash to h= in the key record, or leave h= out",
    "s=": "add email to s= in the key record, or leave s= out",
    "it is": "publish a key of the kind that a= names, or sign with the kind that is published",
}


def explained(verified: Verification, headers: Headers, body: bytes) -> Finding:
    """The finding for one signature; `body` has CRLF line ends."""
    signature = verified.signature
    details = list(verified.trace)
    if verified.key is not None:
        details.append(f"key record: {_short(verified.key.text)}")
    if signature.identity and signature.identity != f"@{signature.domain}":
        details.append(f"identity: {signature.identity}")
    remedy = ""
    if verified.fault in BROKEN and verified.key is not None:
        found = diagnose(signature, verified.key, headers, body)
        if found.changes:
            details = [line for line in details if not line.startswith(ABSENT)]  # that is known better now
        details += found.lines
        remedy = found.remedy
    elif verified.fault is not None:
        remedy = _remedy(verified)
    details += _notes(verified)
    return Finding("DKIM", verified.result.value, str(verified), tuple(details), remedy)


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:120]}..."


def _remedy(verified: Verification) -> str:
    assert verified.fault is not None
    if verified.fault is Fault.KEY_MISUSED:
        return next((text for begin, text in _MISUSES.items() if verified.detail.startswith(begin)), "")
    return REMEDIES.get(verified.fault, "")


def _notes(verified: Verification) -> list[str]:
    """What is no fault, but worth knowing."""
    signature, notes = verified.signature, []
    if verified.unsigned_octets:
        notes.append(f"the last {verified.unsigned_octets} octets of the body are not signed (l={signature.length})")
    if verified.is_testing:
        notes.append("the domain is testing DKIM (t=y): a failure means nothing")
    if verified.key is not None and verified.key.type == "rsa" and 0 < verified.key.bits < 2048:
        notes.append(f"an RSA key of {verified.key.bits} bits is short: RFC 8301 wants 2048")
    return notes
