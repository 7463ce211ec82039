"""The DKIM signatures of a message that has just come in: verified, shown to acl_smtp_dkim, logged.

What was found stays in the message's facts, where the variables, dkim_status and ${authresults look for it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from eximious.acl import ahead, engine, where
from eximious.acl.dkim import NOT_IMPORTED, Checked, Dkim
from eximious.acl.verdict import ACCEPT, Verdict
from eximious.config.lists import split
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.logs.printing import printing
from eximious.waiting import wait

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.context import Context
    from eximious.mailauth.canonical import BodyHashes
    from eximious.mailauth.dkim import Policy, Verification, Verifier
    from eximious.mailauth.message import Headers
    from eximious.receive.incoming import Incoming

SIGNER_LIMIT: Final = 100  # for which the ACL is run


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
        matching: list[Checked | None] = [one for one in dkim.checked if one.is_of(signer)]
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
