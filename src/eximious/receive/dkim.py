"""The DKIM signatures of a message that has just come in: verified, shown to acl_smtp_dkim, logged.

What was found stays in the message's facts, where the variables, dkim_status and ${authresults look for it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from eximious.acl import ahead, engine, where
from eximious.acl.verdict import ACCEPT, Verdict
from eximious.config.lists import split
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.logs.printing import printing
from eximious.mailauth.taglist import unquoted
from eximious.waiting import wait

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.context import Context
    from eximious.mailauth.canonical import BodyHashes
    from eximious.mailauth.dkim import Policy, Verification, Verifier
    from eximious.mailauth.message import Headers
    from eximious.receive.incoming import Incoming

SIGNER_LIMIT: Final = 100  # for which the ACL is run
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


def check(incoming: Incoming) -> Verdict | None:
    """Verify, and run acl_smtp_dkim; the verdict if it does not accept."""
    context = incoming.context
    message = context.message
    if not incoming.is_smtp or incoming.reception.dkim_disable_verify:
        return None
    begun = ahead.take(context, ahead.DKIM)
    main = context.config.main
    if begun is None and (main.acl_smtp_dkim is None or _default_signers(context.config)):
        return None
    dkim = Dkim([] if begun is None else _verified(context, begun.result()))
    message.facts["dkim"] = dkim
    try:
        return _judge(incoming, dkim)
    finally:
        message.facts["authresults_dkim"] = [one.authentication_results() for one in dkim.checked]


def begin(incoming: Incoming, headers: Headers, body: BodyHashes) -> None:
    """The header is complete: read the signatures, have the body hashed, and ask for the keys meanwhile."""
    context = incoming.context
    if not incoming.is_smtp or incoming.reception.dkim_disable_verify or not headers.all(b"dkim-signature"):
        return
    if incoming.reader.separator_size == 1:
        return  # no blank line: hosts disagree about where the header ends, so what was signed is not known
    from eximious.mailauth.dkim import Verifier

    verifier = Verifier(headers, policy=policy_for(context.config), now=context.services.now(), body=body)
    ahead.begin(context, ahead.DKIM, lambda: _with_keys(verifier, context))


async def _with_keys(verifier: Verifier, context: Context) -> Verifier:
    from eximious.mailauth.program_resolver import ProgramResolver

    await verifier.fetch_keys(ProgramResolver(context.services.dns))
    return verifier


def _default_signers(config: Configuration) -> bool:
    template = config.main.dkim_verify_signers
    return template is None or template.source.strip() == "$dkim_signers"


def _verified(context: Context, verifier: Verifier) -> list[Checked]:
    from eximious.mailauth.program_resolver import ProgramResolver

    policy = policy_for(context.config)
    found = wait(verifier.verify(ProgramResolver(context.services.dns)))
    checked = []
    is_needed = True
    for one in sorted(found, key=lambda one: _rank(one, context.config)):
        name = one.fault.name if one.fault is not None else ""
        if one.signature.algorithm not in policy.algorithms and name != "TOO_MANY":
            continue  # what may not be used is as if it were not there
        checked.append(Checked(one, is_needed=is_needed))
        if name in NOT_IMPORTED and checked[-1].status == "invalid":
            _log(context, printing(f"DKIM: d={one.domain} s={one.selector} [failed key import]"))
        is_needed = is_needed and not (one.fault is None and context.config.main.dkim_verify_minimal)
    return checked


def _rank(one: Verification, config: Configuration) -> tuple[int, int]:
    """Where in the order of preference that dkim_verify_keytypes and dkim_verify_hashes give."""
    main, signature = config.main, one.signature
    types, hashes = list(main.dkim_verify_keytypes), list(main.dkim_verify_hashes)
    return (
        types.index(signature.key_type) if signature.key_type in types else len(types),
        hashes.index(signature.hash_name) if signature.hash_name in hashes else len(hashes),
    )


def policy_for(config: Configuration) -> Policy:
    main = config.main
    return _policy_of(
        tuple(main.dkim_verify_keytypes), tuple(main.dkim_verify_hashes), str(main.dkim_verify_min_keysizes)
    )


@lru_cache(maxsize=4)
def _policy_of(key_types: tuple[str, ...], hash_names: tuple[str, ...], min_key_sizes: str) -> Policy:
    from eximious.mailauth.dkim import Policy

    sizes = dict(re.findall(r"(\w+)[ \t]*=[ \t]*([0-9]+)", min_key_sizes))
    algorithms = frozenset(f"{key}-{name}" for key in key_types for name in hash_names)
    return Policy(
        algorithms, rsa_bits=int(sizes.get("rsa", 0)), ed25519_bits=int(sizes.get("ed25519", 0)), checks_times=False
    )


def _judge(incoming: Incoming, dkim: Dkim) -> Verdict | None:
    context = incoming.context
    signers = _signers(context)
    if signers is None:
        return None
    if not signers:
        for one in dkim.checked:
            if one.domain:
                _conclude(incoming, one)
        return None
    dkim.wanted = signers
    statuses = []
    option = context.config.main.acl_smtp_dkim
    for signer in signers:
        matching: list[Any] = [one for one in dkim.checked if one.is_of(signer)]
        for current in matching or [None]:
            _enter(dkim, signer, current)
            verdict = engine.check(option, where.DKIM, context) if option is not None else Verdict(ACCEPT)
            if current is not None and (dkim.status, dkim.reason) != (current.status, current.reason):
                current.is_changed = True
                current.status, current.reason = dkim.status, dkim.reason
            statuses.append(dkim.status)
            if current is not None:
                _conclude(incoming, current)
            if verdict.result != ACCEPT:
                return verdict
            if incoming.reception.dkim_disable_verify:
                return None  # the ACL has seen enough
    dkim.status = ":".join(statuses) if option is not None else ""
    return None


def _enter(dkim: Dkim, signer: str, current: Checked | None) -> None:
    """What the variables tell during a run of the ACL."""
    dkim.signer, dkim.current = signer, current
    dkim.status, dkim.reason = ("none", "") if current is None else (current.status, current.reason)
    if current is not None:
        dkim.last = current
        dkim.key_bits = current.bits


def _signers(context: Context) -> list[str] | None:
    """Those for whom the ACL is run, each once; None if the option cannot be expanded."""
    template = context.config.main.dkim_verify_signers
    try:
        text = template.expand(context) if template is not None else ""
    except (ExpandError, ForcedFail, Defer) as error:
        _log(context, f"expansion of dkim_verify_signers option failed: {error}", panic=True)
        return None
    signers: dict[str, str] = {}
    for item in split(text):
        signers.setdefault(item.strip().lower(), item.strip())
    return [signer for signer in signers.values() if signer][:SIGNER_LIMIT]


def _conclude(incoming: Incoming, one: Checked) -> None:
    """Log a signature's result, and remember a good one for the arrival line."""
    context = incoming.context
    if "dkim_verbose" in context.services.logs.selected:
        _log(context, one.log_line())
    if one.status == "pass":
        incoming.arrival.dkim_domain = one.verification.domain


def _log(context: Context, text: str, *, panic: bool = False) -> None:
    logs = context.services.logs
    (logs.panic if panic else logs.main)(text, context.message.id)
