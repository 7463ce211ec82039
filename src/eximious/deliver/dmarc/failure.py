"""A failure report: what a domain's owner is told about one message that failed (RFC 9991, RFC 6591)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from eximious.acl.dkim import signatures
from eximious.deliver.dmarc import limits
from eximious.deliver.dmarc.sender import ReportSender, hand_in, places_for, report_sender
from eximious.deliver.submit import NotSubmitted
from eximious.errors import Defer
from eximious.mailauth.message import crlf
from eximious.mailauth.program_resolver import ProgramResolver
from eximious.mailauth.reports.failure import ORIGINAL_LIMIT, Failure, to_mail
from eximious.waiting import wait

if TYPE_CHECKING:
    from eximious.acl.dkim import Checked
    from eximious.acl.dmarc import Found
    from eximious.context import Context
    from eximious.mailauth.dmarc.record import ReportUri
    from eximious.spool.message import Message

METHODS: Final = ("arc", "spf", "dkim", "dmarc")
SPF_FAULTS: Final = frozenset({"fail", "softfail", "neutral", "permerror", "temperror"})
# What became of the message -> Delivery-Result (RFC 6591 section 3.2.2).
RESULTS: Final = {"none": "delivered", "quarantine": "other", "reject": "reject"}
# Why a signature does not verify -> Auth-Failure.
DKIM_FAILURES: Final = {"BODY_HASH": "bodyhash", "KEY_REVOKED": "revoked"}

_AUTOMATIC: Final = re.compile(r"\s*no\b", re.IGNORECASE)


def is_wanted(context: Context, found: Found) -> bool:
    """True if the record asks for a report about the message, an ACL has allowed it, and it could make no loop."""
    verdict = found.verdict
    is_asked = context.reception.dmarc_enable_forensic and verdict is not None and bool(verdict.reportable_failure)
    return is_asked and not _is_automatic(context.message)


def _is_automatic(message: Message) -> bool:
    """Reports about reports would never end."""
    for header in message.headers:
        name, value = header.name.lower(), header.text.partition(":")[2]
        if name == "auto-submitted" and not _AUTOMATIC.match(value):
            return True
        if name == "content-type" and value.strip().lower().startswith("multipart/report"):
            return True
    return False


def original(context: Context) -> bytes:
    """The message as it came, as much of it as may be sent along: to be called while its body is there."""
    message = context.message
    pieces = [crlf(line) for line in message.facts.get("raw_headers") or ()]
    if context.config.main.dmarc_failure_with_body and message.body is not None:
        pieces.append(b"\r\n")
        size = 0
        for chunk in message.body.chunks():
            pieces.append(chunk.replace(b"\n", b"\r\n"))
            size += len(chunk)
            if size > ORIGINAL_LIMIT:
                break
    return b"".join(pieces)


def send(context: Context, found: Found, message: bytes, disposition: str) -> None:
    """Report to all who are to be told and want to hear of it. `disposition` is what became of the message."""
    services, verdict = context.services, found.verdict
    assert verdict is not None
    try:
        assert verdict.record is not None
        places = places_for(context, verdict.record_domain, verdict.record.failure_uris, [], tag="ruf")
        if not places:
            return
        alike = (verdict.domain, str(context.client.host_address), verdict.reportable_failure)
        most = context.config.main.dmarc_failure_reports_max
        count = limits.incidents(services.hints, services.now(), verdict.record_domain, alike, most)
        if not count:
            return
    except Defer as error:
        services.logs.panic(f"DMARC: no failure report about {verdict.domain}: {error}", context.message.id)
        return
    sender = report_sender(context, "dmarc_forensic_sender", "dmarc_report_sender")
    failure = _failure(context, found, message, disposition, count)
    for number, place in enumerate(places):
        _send_one(context, failure, sender, place, number)


def _send_one(context: Context, failure: Failure, sender: ReportSender, place: ReportUri, number: int) -> None:
    services, about = context.services, context.message.id
    main = context.config.main
    mail = to_mail(
        failure,
        sender=sender.header,
        recipient=place.address,
        message_id=f"dmarc-{about}-{number}@{main.primary_hostname}",
        now=services.now(),
        with_body=main.dmarc_failure_with_body,
    )
    if place.max_size is not None and len(mail) > place.max_size and main.dmarc_mode == "rfc7489":
        services.logs.main(f"DMARC: failure report is too large for {place.address}", about)
        return
    try:
        hand_in(services, mail, sender, place.address, about)
    except NotSubmitted as error:
        services.logs.main(f"DMARC: failed to send failure report to {place.address}: {error}", about)
        return
    services.logs.main(f"DMARC: failure report about {failure.reported_domain} sent to {place.address}", about)


def _failure(context: Context, found: Found, message: bytes, disposition: str, count: int) -> Failure:
    verdict = found.verdict
    assert verdict is not None
    signature = _failing_signature(context.message, verdict.organizational_domain)
    aligned = {"dkim": verdict.is_dkim_aligned, "spf": verdict.is_spf_aligned}
    return Failure(
        verdict.domain,
        str(context.client.host_address),
        auth_failure=_kind(verdict.reportable_failure, signature),
        alignment=tuple(name for name, is_good in aligned.items() if not is_good) or ("none",),
        delivery_result=RESULTS[disposition],
        original_mail_from=str(context.message.sender),
        authentication_results=_results(context),
        arrival=context.message.received_at,
        message_id=_message_id(context.message),
        dkim_domain=signature.domain if signature is not None else "",
        dkim_selector=signature.selector if signature is not None else "",
        dkim_identity=signature.identity if signature is not None else "",
        spf_dns=_spf_dns(context) if verdict.spf_result in SPF_FAULTS else "",
        reporting_mta=str(context.config.main.primary_hostname),
        incidents=count,
        original=message,
    )


def _kind(failure: str, signature: Checked | None) -> str:
    if failure != "dkim":
        return failure
    fault = signature.verification.fault if signature is not None else None
    return DKIM_FAILURES.get(fault.name, "signature") if fault is not None else "signature"


def _failing_signature(message: Message, organization: str) -> Checked | None:
    """The signature to tell of: one that fails, of the author's organization if there is one."""
    failing = [one for one in signatures(message) if one.status != "pass"]
    own = [one for one in failing if f".{one.domain.lower()}".endswith(f".{organization}")]
    return next(iter(own or failing), None)


def _results(context: Context) -> str:
    """As in an Authentication-Results header."""
    facts = context.message.facts
    found = [text for method in METHODS for text in facts.get(f"authresults_{method}", ())]
    return " ".join("; ".join([str(context.config.main.primary_hostname), *found]).split())


def _message_id(message: Message) -> str:
    found = [header.text.partition(":")[2].strip() for header in message.headers if header.name.lower() == "message-id"]
    return found[0] if found else ""


def _spf_dns(context: Context) -> str:
    """The SPF record that was asked for: ``txt : example.org : "v=spf1 -all"`` (RFC 6591 section 3.2.4)."""
    found: Any = context.message.facts.get("spf_checked")
    domain = found.verdict.domain if found is not None else ""
    if not domain:
        return ""
    answer = wait(ProgramResolver(context.services.dns).query(domain, "TXT"))
    texts = [data.decode("latin-1") for data in answer.data]
    record = next((text for text in texts if text.lower().startswith("v=spf1")), "")
    return f'txt : {domain} : "{record}"' if record else ""
