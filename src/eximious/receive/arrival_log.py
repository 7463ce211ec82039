"""What the logs say of a message that has come in, or was refused though nobody waits for a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import ExpandError
from eximious.logs.message import arrival_line, message_log_line, rejected_header
from eximious.receive.headers import Found, id_in, value_of

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.receive.incoming import Incoming, Outcome


def log_arrival(incoming: Incoming) -> None:
    """The line ``<=`` for a message that is stored; the message log; those whom freeze_tell names."""
    context = incoming.context
    message, arrival = context.message, incoming.arrival
    logs = context.services.logs
    found = Found(message.headers)
    if found.message_id is not None:
        arrival.header_id = id_in(found.message_id)
    if found.subject is not None and "subject" in logs.selected:
        arrival.subject = _decoded(value_of(found.subject), context)
    arrival.eight_bit = message.facts.get("body_type", 0)
    arrival.sender_before_rewriting = message.sender_rewritten_from
    dmarc = message.facts.get("dmarc")
    if dmarc is not None and dmarc.status != "off":
        arrival.dmarc = dmarc.status
    arc = message.facts.get("arc")
    arrival.is_arc_good = arc is not None and arc.state == "pass"
    if "spf" in message.facts:
        arrival.spf = str(message.facts["spf"].verdict.result)
    flag = "(=" if incoming.reception.fake_response == "550" else "<="
    logs.main(arrival_line(message, arrival, logs.fields, flag), message.id)
    if context.config.main.message_logs and message.recipients:
        line = message_log_line(message, arrival, logs.fields)
        context.services.spool.log(message, f"{logs.stamp()} {line}")
    if message.is_frozen:
        logs.main("frozen by ACL", message.id)
        if context.config.main.message_logs:
            context.services.spool.log(message, f"{logs.stamp()} frozen by ACL")
        recipients = context.config.main.freeze_tell
        if recipients and incoming.reception.freeze_tell and not message.is_locally_submitted_error:
            from eximious.deliver.freeze_report import send_on_arrival

            send_on_arrival(context, recipients)
    if not message.recipients:
        logs.main(f"=> blackhole ({incoming.discarded_by or 'no recipients)'}", message.id)
        logs.main("Completed", message.id)


def _decoded(text: str, context: Context) -> str:
    if "=?" not in text:
        return text
    from eximious.expand.operators.rfc2047 import decode_words

    try:
        return decode_words(text, context, converts=False)
    except ExpandError:
        return text


def log_refusal(incoming: Incoming, outcome: Outcome) -> None:
    """Log that the ACL for messages that do not come by SMTP said no."""
    verdict = outcome.verdict
    if verdict is None or not verdict.log_targets:
        return
    message, logs = incoming.context.message, incoming.context.services.logs
    why = verdict.log_message.split("\n", 1)[0] or "NULL"
    logs.write(
        verdict.log_targets,
        f"F=<{message.sender}> rejected by non-SMTP ACL: {why}",
        message.id,
        rejected_header(message, logs.selected),
    )
