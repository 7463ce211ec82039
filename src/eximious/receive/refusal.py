"""What a client and the logs are told when an ACL refuses something."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.acl import where
from eximious.acl.verdict import DENY, DROP, Verdict
from eximious.logs.message import rejected_header, verdict_tag
from eximious.receive import ending
from eximious.receive.replies import fold, wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.receive.session import Session

# Reply codes where they are not 550.
CODES: Final = {where.AUTH: "503", where.ETRN: "458", where.VRFY: "252"}
# What comes before and after the reason when a callout shows that the sender's host is at fault.
FAILURES: Final = {
    "postmaster": (
        "Postmaster verification failed while checking",
        "Several RFCs state that you are required to have a postmaster\nmailbox for each mail domain. "
        "This host does not accept mail\nfrom domains whose servers reject the postmaster address.",
    ),
    "mail": (
        "Callback setup failed while verifying",
        "The initial connection, or a HELO or MAIL FROM:<> command was\nrejected. Refusing MAIL FROM:<> does not help "
        "fight spam, disregards\nRFC requirements, and stops you from receiving standard bounce\nmessages. This host "
        "does not accept mail from domains whose servers\nrefuse bounces.",
    ),
}
OWN_CODE: Final = re.compile(r"\d\d\d\s")
WITH_SENDER: Final = frozenset({where.RCPT, where.DATA, where.MIME, where.PRDR})
NAMES: Final = {
    where.CONNECT: 'connection in "connect" ACL',
    where.DATA: "after DATA",
    where.PRDR: "after DATA PRDR",
    where.MIME: "during MIME ACL checks",
    where.DKIM: "DKIM ",
    where.PREDATA: "DATA",
}


def refuse(session: Session, moment: str, verdict: Verdict) -> None:
    """Tell the client that the ACL said no (or not now), and log it. Ends the session if the ACL wants to drop it."""
    text = verdict.user_message or default_text(verdict)
    code = _code(moment, verdict, text)
    lines = wording(code, text, _complaint(session)).lines(multiline=_multiline(session))
    log(session, moment, verdict)
    session.send(details(session) + lines)
    if verdict.result == DROP:
        session.has_quit = True  # it was we who ended it
        ending.not_quit(session, "acl-drop", int(code), "")
        raise ending.Ended


def connection(session: Session, verdict: Verdict) -> None:
    """The client is not welcome at all."""
    log(session, where.CONNECT, verdict)
    text = verdict.user_message or default_text(verdict)
    session.send(wording(_code(where.CONNECT, verdict, text), text, _complaint(session)).lines())


def default_text(verdict: Verdict) -> str:
    """What clients are told when nobody has said what they are to be told."""
    if verdict.result in (DENY, DROP):
        return "Administrative prohibition"
    return "Temporary local problem - please try later"


def log(session: Session, moment: str, verdict: Verdict, *, headers: str = "") -> None:
    """Log the refusal where ``log_reject_target`` says; the reject log gets the message's headers as well."""
    _log_sender_failure(session)
    temporarily = "" if verdict.result in (DENY, DROP) else "temporarily "
    message = session.context.message
    client = session.client
    sender = ""
    if moment in WITH_SENDER:
        authenticated = f" A={client.authenticator_name}" if client.authenticator_name else ""
        if authenticated and client.authenticated_id:
            authenticated += f":{client.authenticated_id}"
        sender = f" F=<{message.sender}>{authenticated}"
        if "spf" in message.facts:
            sender += verdict_tag("SPF", str(message.facts["spf"].verdict.result), "pass", session.logs.selected)
        dmarc = message.facts.get("dmarc")
        if dmarc is not None and dmarc.status != "off":
            sender += verdict_tag("DMARC", dmarc.status, "accept", session.logs.selected)
    if client.tls is not None:
        sender = session.logs.fields.tls(client.tls) + sender
    why = one_line(corrected(moment, verdict))
    text = f"{session.host_and_ident}{sender} {temporarily}rejected {_what(session, moment)}"
    if why:
        text += f": {why}"
    if verdict.log_targets:
        session.logs.write(verdict.log_targets, text, message.id, headers)


def corrected(moment: str, verdict: Verdict) -> str:
    """The log message; where it is a text with a wrong reply code, with the code that was sent instead."""
    text = verdict.log_message
    if not text or text != verdict.user_message:
        return text
    code = _code(moment, verdict, text)
    if len(text) > 3 and text[:3].isdigit() and text[3].isspace() and text[0] != code[0]:
        return f"{code} {wording(code, text).text}"
    return text


def one_line(text: str) -> str:
    """The part of a text that is logged: its first line."""
    return text.split("\n", 1)[0]


def _what(session: Session, moment: str) -> str:
    name = NAMES.get(moment)
    if name is not None:
        return name
    return f"{moment} {session.command.argument}"


def _code(moment: str, verdict: Verdict, text: str) -> str:
    if moment == where.VRFY and OWN_CODE.match(text):
        return text[:3]  # any answer may be given
    return CODES.get(moment, "550") if verdict.result in (DENY, DROP) else "451"


def _multiline(session: Session) -> bool:
    return session.settings.multiline_responses


def _complaint(session: Session) -> Callable[[str], None]:
    return session.complain


def _log_sender_failure(session: Session) -> None:
    """Say once why the sender did not verify."""
    reception = session.context.reception
    if reception is None or reception.sender_failure is None or reception.sender_failure_told:
        return
    verified = reception.sender_failure
    kind = verified.result.value
    if kind == "fail" and "sender_verify_fail" not in session.logs.selected:
        return
    text = f": {verified.message}" if verified.message is not None else ""
    message = session.context.message
    session.logs.reject(
        f"{session.host_and_ident} sender verify {kind} for <{verified.original}>{text}",
        message.id,
        rejected_header(message, session.logs.selected),
    )


def details(session: Session) -> str:
    """Lines that tell the client why its sender did not verify: once what a router or a callout has for it to know, and
    with ``smtp_return_error_details`` what keeps us from knowing."""
    reception = session.context.reception
    if reception is None or reception.sender_failure is None:
        return ""
    verified = reception.sender_failure
    is_deferred = verified.result.value == "defer"
    code = "451" if is_deferred else "550"
    lines: list[str] = []
    is_told = not is_deferred or verified.is_from_callout
    may_tell = is_told and not reception.sender_failure_told and session.settings.multiline_responses
    if may_tell and verified.user_message is not None:
        before, after = FAILURES.get(verified.failure, ("Verification failed for", ""))
        texts = [text for text in (verified.user_message, after) if text]
        lines = [f"{before} <{verified.original}>", *(line for text in texts for line in fold(text))]
    reception.sender_failure_told = True
    if is_deferred and session.main.smtp_return_error_details and verified.message:
        lines += fold(verified.message)
    return "".join(f"{code}-{line}\r\n" for line in lines)
