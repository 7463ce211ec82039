"""What became of a message whose sender's domain has a DMARC record, for the reports that the domain's owner gets.

An ACL decides what the record's policy means here. So what a report says is not what the policy asks for, but what was
done: the message was refused, or taken in, and in the latter case perhaps put aside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from eximious.acl.dkim import signatures
from eximious.acl.verdict import DENY, DROP
from eximious.errors import Defer, ExpandError
from eximious.receive.incoming import ACCEPTED, REFUSED, Outcome

if TYPE_CHECKING:
    from eximious.acl.dmarc import Found
    from eximious.acl.spf import Found as SpfFound
    from eximious.context import Context
    from eximious.mailauth.dmarc import Verdict
    from eximious.mailauth.reports.aggregate import Reason, Row
    from eximious.receive.session import Session

NONE: Final = "none"
QUARANTINE: Final = "quarantine"
REJECT: Final = "reject"
# What reports are made about: in other names, strangers could hide anything.
PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+")
SEVERITY: Final = (NONE, QUARANTINE, REJECT)


class Feedback:
    """What there is to tell about one message, once its client has been answered."""

    __slots__ = ("context", "disposition", "found", "original")

    def __init__(self, context: Context, found: Found, disposition: str, original: bytes | None) -> None:
        self.context = context
        self.found = found
        self.disposition = disposition
        self.original = original  # for a failure report; None if there is to be none

    def give(self) -> None:
        """Count the message for the aggregate report, and send a failure report."""
        context, record = self.context, self.found.verdict.record if self.found.verdict is not None else None
        if record is not None and record.aggregate_uris and context.config.main.dmarc_aggregate_reports:
            self._gather(record.text)
        if self.original is not None:
            from eximious.deliver.dmarc import failure

            failure.send(context, self.found, self.original, self.disposition)

    def _gather(self, policy: str) -> None:
        from eximious.deliver.dmarc import gathered

        services, verdict = self.context.services, self.found.verdict
        assert verdict is not None
        row = row_of(self.context, self.found, self.disposition)
        try:
            gathered.add(services.hints, services.now(), verdict.record_domain, policy, self.found.method, row)
        except Defer as error:
            services.logs.panic(f"DMARC: not counted for the report: {error}", self.context.message.id)


def prepare(session: Session, outcome: Outcome) -> Feedback | None:
    """What is to be told of a message, before it is delivered; None if nobody wants to hear of it.

    A message that is refused for now is not told of: it will come again.
    """
    context = session.context
    found: Found | None = context.message.facts.get("dmarc")
    if found is None or found.verdict is None or found.verdict.record is None or session.is_checking:
        return None
    disposition = _disposition(context, found, outcome)
    if disposition is None or not PLAIN.fullmatch(found.verdict.domain) or _is_excepted(context, found):
        return None
    original = None
    if context.reception.dmarc_enable_forensic:
        from eximious.deliver.dmarc import failure

        if failure.is_wanted(context, found):
            original = failure.original(context)
    return Feedback(context, found, disposition, original)


def _is_excepted(context: Context, found: Found) -> bool:
    """True if nothing is to be told about mail of that author (dmarc_no_reports)."""
    domains = context.config.main.dmarc_no_reports
    if domains is None:
        return False
    try:
        return domains.match(found.author, context) is not None
    except (Defer, ExpandError) as error:
        context.services.logs.panic(f"DMARC: dmarc_no_reports: {error}", context.message.id)
        return True


def _disposition(context: Context, found: Found, outcome: Outcome) -> str | None:
    """What was done with the message; None if it was neither taken in nor refused for good."""
    if outcome.status == REFUSED:
        return REJECT if outcome.verdict is not None and outcome.verdict.result in (DENY, DROP) else None
    if outcome.status != ACCEPTED:
        return None
    message = context.message
    if context.reception.fake_response == "550" or not message.recipients:
        return REJECT  # the client was told so, or nobody will see the message
    if message.is_frozen or (found.is_named and found.status == QUARANTINE):
        return QUARANTINE
    return NONE


def row_of(context: Context, found: Found, disposition: str) -> Row:
    """The message as aggregate reports tell of it."""
    from eximious.mailauth.reports.aggregate import DkimResult, Row, SpfResult

    verdict = found.verdict
    assert verdict is not None
    has_failed = str(verdict.result) == "fail"
    spf: SpfFound | None = context.message.facts.get("spf_checked")
    checked = [spf.verdict] if spf is not None else []
    return Row(
        str(context.client.host_address),
        1,
        verdict.domain,
        disposition if has_failed else NONE,
        "pass" if verdict.is_dkim_aligned else "fail",
        "pass" if verdict.is_spf_aligned else "fail",
        tuple(_reasons(context, verdict, found.method, disposition)) if has_failed else (),
        str(context.message.sender).rpartition("@")[2].lower(),
        "",
        tuple(
            DkimResult(one.domain.lower(), one.result, one.selector, one.state.words)
            for one in signatures(context.message)
            if one.domain
        ),
        tuple(
            SpfResult(str(one.domain).lower(), str(one.result), "helo" if one.identity == "helo" else "mfrom")
            for one in checked
        ),
    )


def _reasons(context: Context, verdict: Verdict, method: str, disposition: str) -> list[Reason]:
    """Why something else was done than the policy asks for."""
    from eximious.mailauth.reports.aggregate import Reason

    reasons = []
    if verdict.is_sampled_out:
        reasons.append(Reason("policy_test_mode" if method == "treewalk" else "sampled_out"))
    wanted = str(verdict.disposition)
    if disposition == wanted:
        return reasons
    given = context.reception.dmarc_override_reason
    if given is not None:
        reasons.append(Reason(*given))
    else:
        is_milder = SEVERITY.index(disposition) < SEVERITY.index(wanted)
        reasons.append(Reason("local_policy", _arc(context.message.facts.get("arc")) if is_milder else ""))
    return reasons


def _arc(found: Any) -> str:
    """The ARC chain that speaks for the message, if an ACL has seen that it is good (RFC 8617 section 7.2.2)."""
    if found is None or found.state != "pass":
        return ""
    words = ["arc=pass"]
    for one in reversed(found.chain.links):
        words += [f"as[{one.instance}].d={one.domain}", f"as[{one.instance}].s={one.selector}"]
    return " ".join(words)
