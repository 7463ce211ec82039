"""The DKIM signatures of a message as ACLs, variables, logs and reports see them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from eximious.logs.printing import printing
from eximious.mailauth.taglist import unquoted

if TYPE_CHECKING:
    from eximious.mailauth.dkim import Verification
    from eximious.spool.message import Message

# What may stand in a log line and in a header as it is: letters of atoms, and those between them.
PLAIN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@:-]+")
ED25519_BITS: Final = 253  # as Exim counts them

UNSET: Final = "<UNSET>"  # in the log, for a tag that is missing


class State(NamedTuple):
    """What a signature is held for: the values of variables, the words of the log, and those of authresults."""

    status: str  # $dkim_verify_status
    reason: str  # $dkim_verify_reason
    words: str
    result: str  # "" if it depends on the key


PASS: Final = State("pass", "", "", "pass")
NOT_VERIFIED: Final = State("none", "", "not verified", "none")  # since another one is good, and that suffices
VERSION: Final = State("invalid", "", "unsupported DKIM version", "neutral (unsupported DKIM version)")
UNKNOWN: Final = State("invalid", "unspecified", "unspecified problem", "permerror (unspecified problem)")
_UNAVAILABLE: Final = State("invalid", "pubkey_unavailable", "public key record (currently?) unavailable", "")
_KEY_WORDS: Final = ("syntax error in public key record", "neutral (public key record import problem)")
NO_KEY: Final = State("invalid", "pubkey_der_syntax", *_KEY_WORDS)  # the record is good, but what is in p= is no key
STATES: Final[dict[str, State]] = {  # by the names of faults
    "KEY_UNAVAILABLE": _UNAVAILABLE,
    "NO_KEY": _UNAVAILABLE,
    "KEY_SYNTAX": State("invalid", "pubkey_dns_syntax", *_KEY_WORDS),
    "KEY_REVOKED": NO_KEY,
    "KEY_MISUSED": State("fail", "", "unspecified reason", "fail (unspecified reason)"),
    "SYNTAX": State("invalid", "", "signature tag missing or invalid", "neutral (signature tag missing or invalid)"),
    "TOO_MANY": State("invalid", "too_many_signatures", "too many signatures", "policy (too many signatures)"),
    "BODY_HASH": State(
        "fail",
        "bodyhash_mismatch",
        "body hash mismatch (body probably modified in transit)",
        "fail (body hash mismatch; body probably modified in transit)",
    ),
    "SIGNATURE": State(
        "fail",
        "signature_incorrect",
        "signature did not verify (headers probably modified in transit)",
        "fail (signature did not verify; headers probably modified in transit)",
    ),
    "WEAK_KEY": State("fail", "pubkey_too_short", "signature invalid (key too short)", ""),
}
NOT_IMPORTED: Final = frozenset({"KEY_UNAVAILABLE", "NO_KEY", "KEY_SYNTAX", "KEY_REVOKED"})
OF_KEYS: Final = NOT_IMPORTED | {"KEY_MISUSED"}


class Checked:
    """One signature, and what it is held for; an ACL may change that."""

    __slots__ = ("is_changed", "reason", "state", "status", "verification")

    def __init__(self, verification: Verification, *, is_needed: bool = True) -> None:
        self.verification = verification
        self.state = _state(verification) if is_needed else NOT_VERIFIED
        self.status, self.reason = self.state.status, self.state.reason
        self.is_changed = False  # by the ACL

    @property
    def result(self) -> str:
        """As in Authentication-Results: ``temperror`` if the key cannot be had for now."""
        return self.authentication_results()[len("dkim=") :].split(maxsplit=1)[0]

    @property
    def bits(self) -> int:
        """Of the key, if it was needed."""
        key = self.verification.key
        if key is None or self.state is NOT_VERIFIED or self.state.reason == "bodyhash_mismatch":
            return 0
        return ED25519_BITS if key.type == "ed25519" else int(key.bits)

    @property
    def domain(self) -> str:
        """d=; "" if it is missing, or no name."""
        return _plain(self.verification.signature.domain)

    @property
    def selector(self) -> str:
        """s=; "" if it is missing, or no name."""
        return _plain(self.verification.signature.selector)

    @property
    def identity(self) -> str:
        """i= as it is meant; "" if there is none, or one that cannot be shown."""
        return _plain(unquoted(self.verification.signature.tags.get("i", "")))

    @property
    def identities(self) -> list[str]:
        """The domain, and the identity if there is one."""
        return [name for name in (self.domain, self.identity) if name]

    def is_of(self, signer: str) -> bool:
        """True if that is who signed."""
        return any(signer.lower() == identity.lower() for identity in self.identities)

    def log_line(self) -> str:
        """What the main log says."""
        one = self.verification.signature
        text = (
            f"DKIM: d={self.domain or UNSET} s={self.selector or UNSET} c={one.canonicalization} a={one.algorithm} "
            f"b={len(one.data) * 8}"
        )
        if self.identity:
            text += f" i={self.identity}"
        for name in ("t", "x", "l"):
            if one.tags.get(name, "").isdigit():
                text += f" {name}={one.tags[name]}"
        if self.is_changed:
            outcome = f"{self.status} - {self.reason}"
        elif self.status == "pass":
            outcome = "verification succeeded"
        elif self.status == "none":
            outcome = self.state.words
        else:
            outcome = f"{'verification failed' if self.status == 'fail' else self.status} - {self.state.words}"
        return printing(f"{text} [{outcome}]")

    def authentication_results(self) -> str:
        """The part of an Authentication-Results header."""
        one = self.verification.signature
        tags = {"d": self.domain, "i": self.identity, "s": self.selector, "a": one.algorithm}
        properties = "".join(f" header.{name}={value}" for name, value in tags.items() if value)
        if self.is_changed:
            return f"dkim=policy ({self.status} - {self.reason}){properties}"
        if self.status in ("pass", "none"):
            return f"dkim={self.status}{properties}"
        return f"dkim={self._result()}\n\t\t{properties}"

    def _result(self) -> str:
        if self.state.result:
            return self.state.result
        if self.state.reason == "pubkey_too_short":
            return f"fail (public key too short: {self.bits} bits)"
        fault = self.verification.fault
        is_temporary = fault is not None and fault.name == "KEY_UNAVAILABLE"
        return f"{'temperror' if is_temporary else 'permerror'} (pubkey unavailable)"


def _plain(text: str) -> str:
    return text if PLAIN.fullmatch(text) else ""


def _state(verification: Verification) -> State:
    fault = verification.fault
    if fault is None:
        return PASS
    if fault.name == "SYNTAX" and verification.signature.tags.get("v", "1") != "1":
        return VERSION
    if fault.name in OF_KEYS and verification.body_hash not in (b"", verification.signature.body_hash):
        return STATES["BODY_HASH"]  # that is looked at first; a key does not matter any more
    if fault.name == "KEY_SYNTAX" and verification.detail.startswith("p= is not"):
        return NO_KEY
    return STATES.get(fault.name, UNKNOWN)


class Dkim:
    """What is known about the message's signatures."""

    __slots__ = ("checked", "current", "key_bits", "last", "reason", "signer", "status", "wanted")

    def __init__(self, checked: list[Checked]) -> None:
        self.checked = checked
        self.current: Checked | None = None  # that the ACL is about
        self.last: Checked | None = None  # that it was about; its domain and selector stay known
        self.signer = ""  # $dkim_cur_signer
        self.status = ""  # $dkim_verify_status
        self.reason = ""  # $dkim_verify_reason
        self.wanted: list[str] = []  # the signers for whom the ACL runs
        self.key_bits = 0  # of the last signature that was looked at

    @property
    def signers(self) -> list[str]:
        """Domains and identities, in the order of the signatures."""
        return [name for one in self.checked for name in one.identities]


def signatures(message: Message) -> list[Checked]:
    """Those that have been verified."""
    dkim: Dkim | None = message.facts.get("dkim")
    return [] if dkim is None else dkim.checked
