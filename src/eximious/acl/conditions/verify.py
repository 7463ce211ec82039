"""The ACL condition ``verify``: addresses, headers, names, certificates."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from eximious.acl import arc, header_checks
from eximious.acl.csa import verify_csa
from eximious.acl.declare import condition, parsed
from eximious.acl.helo import verify_helo
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.verify_options import VerifyOptions
from eximious.acl.where import DATA, EVERYWHERE, MAIL, NOT_SMTP, PREDATA, RCPT
from eximious.address.rules import address_rules
from eximious.errors import Defer
from eximious.lists.host_name import look_up_client
from eximious.octets import SPACE
from eximious.taint import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable

WITH_HEADERS: Final = frozenset({DATA, NOT_SMTP})
# Where each may be used; those that are not here, everywhere.
ALLOWED: Final = {
    "arc": frozenset({DATA}),
    "header_names_ascii": WITH_HEADERS,
    "header_sender": WITH_HEADERS,
    "header_syntax": WITH_HEADERS,
    "not_blind": WITH_HEADERS,
    "recipient": frozenset({RCPT}),
    "sender": frozenset({MAIL, RCPT, PREDATA, DATA, NOT_SMTP}),
}


@condition("verify", parsed(VerifyOptions), EVERYWHERE)
def verify(options: VerifyOptions, run: Run) -> bool:
    """True if what the keyword names verifies."""
    what = options.what
    allowed = ALLOWED.get(what)
    if allowed is not None and run.where not in allowed:
        raise AclError(f"cannot verify {what} in ACL for {run.where}")
    return CHECKS[what](options, run)


# --- the client -------------------------------------------------------------------------------------------------------


def _helo(options: VerifyOptions, run: Run) -> bool:
    if not run.context.client.host_address:
        return True
    return verify_helo(run.context) is True


def _csa(options: VerifyOptions, run: Run) -> bool:
    if not run.context.client.host_address:
        return True
    return verify_csa(options.csa_domain, run)


def _arc(options: VerifyOptions, run: Run) -> bool:
    found = arc.check(run.context)
    wanted = {state.strip(SPACE).lower() for state in options.states.split(":")}
    if found.state in wanted:
        return True
    run.blame("", f"ARC {found.chain}")
    return False


def _certificate(options: VerifyOptions, run: Run) -> bool:
    tls = run.context.client.tls
    if tls is not None and tls.is_verified:
        return True
    run.blame("no verified certificate")
    return False


def _reverse_host_lookup(options: VerifyOptions, run: Run) -> bool:
    client = run.context.client
    was_known = client.host_lookup_failed
    if not client.host_address or look_up_client(run.context) is not None:
        return True
    if client.host_lookup_deferred:
        if options.flag:
            return True
        run.log_message = "host lookup deferred for reverse lookup check"
        raise Defer(run.log_message)
    why = run.context.facts.get("host_lookup_why") or "failed to find host name from IP address"
    looked_up = "" if was_known else " for reverse lookup check"
    run.blame("", f"host lookup failed{looked_up} ({why})")
    return False


# --- the headers ------------------------------------------------------------------------------------------------------


def _complain(problem: str, run: Run) -> bool:
    """True if there is no problem; else the log hears of it, and the client if it may."""
    if not problem:
        return True
    run.log_message = problem
    if run.context.config.main.smtp_return_error_details:
        run.blame(f"Rejected after DATA: {problem}", problem)
    return False


def _header_syntax(options: VerifyOptions, run: Run) -> bool:
    return _complain(header_checks.bad_syntax(run.context.message, address_rules(run.context)), run)


def _header_names_ascii(options: VerifyOptions, run: Run) -> bool:
    return _complain(header_checks.bad_name(run.context.message), run)


def _not_blind(options: VerifyOptions, run: Run) -> bool:
    is_blind = header_checks.blind_recipient(run.context.message, is_caseless=options.flag)
    return _complain("bcc recipient detected" if is_blind else "", run)


def _header_sender(options: VerifyOptions, run: Run) -> bool:
    """True if one address in Sender:, Reply-To: or From: verifies."""
    deferred: Any = None
    details = ""
    for header, item in header_checks.sender_addresses(run.context.message, address_rules(run.context)):
        if item.parsed is None:
            return _complain(
                f"syntax error in '{header.name}:' header when scanning for sender: {item.error} in "
                f'"{header.text.partition(":")[2][item.start : item.end].strip(SPACE)}"',
                run,
            )
        verified = _verify(item.parsed.address, options, run, is_recipient=False, has_fake_sender=True)
        if verified:
            return True
        if verified.result.value == "defer":
            if _may_defer(verified, options):
                return True
            deferred = verified
        else:
            shown = verified.user_message or verified.message or ""
            details = f'could not verify "{header.name}:" header address\n{verified.original}: {shown}'
    if deferred is not None:
        run.log_message = "all attempts to verify a sender in a header line deferred"
        raise Defer(run.log_message)
    run.log_message = "there is no valid sender in any header line"
    if details and run.context.config.main.smtp_return_error_details:
        run.blame(f"Rejected after DATA: {details}", run.log_message)
    return False


# --- addresses --------------------------------------------------------------------------------------------------------


def _verify(
    address: str, options: VerifyOptions, run: Run, *, is_recipient: bool, has_fake_sender: bool = False
) -> Any:
    """Ask `eximious.verify`, which is above this layer; gives its `Verified`."""
    module = importlib.import_module("eximious.verify.request")
    session = run.session
    if options.callout is not None and session is not None and session.settings.flush_before_callout:
        session.flush()
    if options.callout is not None and session is not None and not session.does_callouts:
        options = options.without_callout()
        if run.trace is not None:
            run.trace.acl("callout not made: this is only a test")
    return module.verify(address, options, run.context, is_recipient=is_recipient, has_fake_sender=has_fake_sender)


def _may_defer(verified: Any, options: VerifyOptions) -> bool:
    """True if an address that cannot be verified now is taken as if it could."""
    callout = options.callout
    return options.defer_ok or (verified.is_from_callout and callout is not None and callout.defer_ok)


def _recipient(options: VerifyOptions, run: Run) -> bool:
    context = run.context
    seen = context.address
    verified = _verify(seen.address, options, run, is_recipient=True)
    seen.address_data = verified.address_data
    routed = verified.address
    if routed.domain_data is not None:
        seen.domain_data = routed.domain_data
    if routed.local_part_data is not None:
        seen.local_part_data = routed.local_part_data
    context.facts["recipient_verify_failure"] = verified.failure
    return _judge(verified, options, run)


def _judge(verified: Any, options: VerifyOptions, run: Run) -> bool:
    """Say why the address does not verify; True if it does, or may be taken as if it did."""
    if verified:
        return True
    if verified.result.value == "defer":
        if _may_defer(verified, options):
            return True
        run.blame(verified.user_message or "", verified.message or "")
        run.may_tell = verified.is_from_callout or bool(verified.user_message)
        raise Defer(verified.message or "")
    shown = verified.user_message or ("" if verified.failure == "quota" else verified.message)
    run.blame(shown or "", verified.message or "")
    return False


def _sender(options: VerifyOptions, run: Run) -> bool:
    """The null sender always verifies; others are routed once a message, but hosts are asked whenever it is wanted.

    What hosts said is remembered for longer than a message, in the cache of callouts.
    """
    context = run.context
    address = context.message.sender if options.address is None else options.address
    if not address:
        return True
    reception = run.reception
    known = reception.senders_verified.get(address)
    is_new = known is None or options.callout is not None
    verified: Any = known
    if is_new:
        verified = _verify(address, options, run, is_recipient=False)
        reception.senders_verified[address] = verified
        if verified and options.address is None and verified.original != context.message.sender:
            _rewritten(verified.original, run)
    is_routed = bool(verified) or (not is_new and verified.is_from_callout)
    context.facts["sender_verify_failure"] = "" if is_routed and not verified else verified.failure
    context.facts["sender_address_data"] = verified.address_data
    if is_routed:
        return True
    is_deferred = verified.result.value == "defer"
    if is_deferred and _may_defer(verified, options):
        return True
    if not options.no_details:
        if is_new:
            reception.sender_failure_told = False
        reception.sender_failure = verified
    text = "Could not complete sender verify" if is_deferred else "Sender verify failed"
    run.blame(text + (" callout" if is_deferred and verified.is_from_callout else ""), text)
    run.log_message = run.user_message
    if not is_deferred and verified.is_from_callout and verified.message:
        context.facts["acl_verify_message"] = f"{text}: {verified.message}"
    run.may_tell = verified.is_from_callout
    if is_deferred:
        raise Defer(run.log_message)
    return False


def _rewritten(address: str, run: Run) -> None:
    """The sender has been rewritten for its verification, and stays so."""
    message = run.context.message
    message.sender_rewritten_from = message.sender
    message.sender = Tainted(address)
    known = run.reception.senders_verified
    known[address] = known[message.sender_rewritten_from]


CHECKS: Final[dict[str, Callable[[VerifyOptions, Run], bool]]] = {
    "arc": _arc,
    "certificate": _certificate,
    "csa": _csa,
    "header_names_ascii": _header_names_ascii,
    "header_sender": _header_sender,
    "header_syntax": _header_syntax,
    "helo": _helo,
    "not_blind": _not_blind,
    "recipient": _recipient,
    "reverse_host_lookup": _reverse_host_lookup,
    "sender": _sender,
}
