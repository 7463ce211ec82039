"""A message that comes after DATA, or in the chunks of BDAT: read, judged, answered."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NoReturn

from eximious.acl.verdict import DROP
from eximious.logs.message import rejected_header
from eximious.receive import body_checks, dmarc_feedback, ending, refusal
from eximious.receive.acceptance import accept, give_id
from eximious.receive.envelope import client_may
from eximious.receive.from_line import recogniser
from eximious.receive.incoming import ACCEPTED, FAILED, Incoming, Outcome
from eximious.receive.replies import wording
from eximious.receive.server_user import server_user
from eximious.smtp.data import ChunkReader
from eximious.smtp.message_text import TextFault
from eximious.spool.body import Body
from eximious.spool.errors import SpoolError
from eximious.spool.message import OTHER, Header

if TYPE_CHECKING:
    from eximious.receive.session import Session
    from eximious.receive.submitter import Submitter
    from eximious.smtp.command import Command
    from eximious.smtp.data import DataReader

FAKE_TEXT = (
    "Your message has been rejected but is being kept for evaluation.\n"
    "If it was a legitimate message, it may still be delivered to the target recipient(s)."
)


def receive(session: Session) -> None:
    """Read the message, take it in or refuse it, answer, and be ready for the next."""
    main = session.main
    is_from_line = recogniser(session.context) if _may_begin_with_from(session) else None
    reader = session.protocol.begin_data(main.header_maxsize, main.header_line_maxsize, is_from_line)
    incoming = _begin(session, reader)
    try:
        failure = _read(session, incoming, reader)
        if failure is None:
            incoming.is_client_gone = lambda: _is_gone_after_data(session, reader)
            _answer(session, incoming, accept(incoming))
        else:
            session.reply(failure.code, failure.reply)
    finally:
        incoming.close()
    session.protocol.end_data(reader)
    session.reset()


def receive_chunk(session: Session, command: Command) -> None:
    """Read a chunk (RFC 3030); after the last one, take the message in or refuse it, and be ready for the next."""
    transaction, protocol, main = session.transaction, session.protocol, session.main
    if transaction.chunks is None:
        transaction.chunks = _begin(session, ChunkReader(main.header_maxsize, main.header_line_maxsize))
        transaction.chunks.arrival.chunking = True
    incoming = transaction.chunks
    reader = incoming.reader
    assert isinstance(reader, ChunkReader)
    protocol.begin_chunk(command, reader)
    failure = _read(session, incoming, reader)
    protocol.end_chunk(reader)
    if failure is not None:
        session.reply(failure.code, failure.reply)
    elif not reader.is_complete:
        session.check_synchronisation_again(after_chunk=True)
        session.reply(250, f"{reader.chunk_size} byte chunk received")
        return
    else:
        incoming.is_client_gone = lambda: _is_gone(session)
        _answer(session, incoming, accept(incoming))
    session.reset()


def _is_gone_after_data(session: Session, reader: DataReader) -> bool:
    """The same while what came after the message is still with its reader."""
    return not reader.rest and _is_gone(session, reader)


def _is_gone(session: Session, reader: DataReader | None = None) -> bool:
    """True if the client has closed the connection. It must not be told that we have the message then: it will send it
    once more."""
    stream = session.stream
    if not stream.peer.address or session.protocol.pending or not stream.has_input():
        return False
    try:
        data = stream.read()
    except OSError:
        return True
    if reader is not None:
        reader.rest = data
    elif data:
        session.protocol.receive(data)
    return not data


def _may_begin_with_from(session: Session) -> bool:
    """True if a From line may stand before the headers: ``ignore_fromline_hosts``, ``ignore_fromline_local``."""
    if session.client.is_local:
        return bool(session.main.ignore_fromline_local)
    return session.main.ignore_fromline_hosts is not None and session.is_client_in("ignore_fromline_hosts")


def _begin(session: Session, reader: DataReader | ChunkReader) -> Incoming:
    give_id(session.context)
    body = session.context.services.spool.new_body(session.context.message.queue_name)
    return _incoming(session, reader, body)


def _read(session: Session, incoming: Incoming, reader: DataReader | ChunkReader) -> Outcome | None:
    """Read to the end of the text, or chunk; None if it is there. What is too large is counted, but not kept."""
    body, limit = incoming.body, incoming.size_limit
    stream = session.stream
    failure: Outcome | None = None
    while True:
        piece = reader.take()
        if reader.headers is not None and reader.fault is None and incoming.body_checks is None:
            incoming.body_checks = body_checks.begin(incoming)
        if piece and failure is None and (limit <= 0 or body.size <= limit):
            failure = _keep(session, incoming, piece)
        if not reader.wants_more:
            break
        try:
            data = stream.read()
        except TimeoutError:
            _data_timeout(session, reader)
        except OSError:
            data = b""
        if not data:
            _data_lost(session, reader)
        reader.feed(data)
    if reader.is_complete and incoming.body_checks is not None:
        incoming.body_checks.finish()
    return _too_long(session, reader) or failure


def _keep(session: Session, incoming: Incoming, piece: bytes) -> Outcome | None:
    try:
        incoming.body.append(piece)
    except SpoolError as error:
        session.logs.panic(f"spool write failed: {error}", session.context.message.id)
        return Outcome(FAILED, 451, "Error while writing spool file")
    assert incoming.body_checks is not None
    incoming.body_checks.feed(piece)
    return None


def _too_long(session: Session, reader: DataReader | ChunkReader) -> Outcome | None:
    """Refuse headers that are too long. The log hears of it."""
    main = session.main
    if reader.fault is TextFault.NOT_CRLF:
        _log_line_ends(session, reader)
        return Outcome(FAILED, 552, "Message header not CRLF terminated")
    if not reader.too_long:
        return None
    if reader.too_long == "header":
        word, what, most = "ridiculously long", "message header", main.header_maxsize
        text = "Message header is ridiculously long"
    else:
        word, what, most = "overlong", "message header line", main.header_line_maxsize
        text = "A message header line is too long"
    session.logs.main(
        f"{word} {what} received from {session.logs.fields.full_host(session.client) or session.client.ident} "
        f"(more than {most} characters): message abandoned"
    )
    return Outcome(FAILED, 552, text)


def _log_line_ends(session: Session, reader: DataReader | ChunkReader) -> None:
    message = session.context.message
    message.headers = [Header(line.decode("latin-1"), OTHER) for line in reader.headers or ()]
    session.logs.reject(
        f"rejected from <{message.sender}> H={session.host_without_id}: Non-CRLF-terminated header, under CHUNKING: "
        "message abandoned",
        details=rejected_header(message, session.logs.selected),
    )


def _data_timeout(session: Session, reader: DataReader | ChunkReader) -> NoReturn:
    message = session.context.message
    _forget_id(session, reader)
    client = session.logs.fields.full_host(session.client) or session.client.ident
    session.logs.main(
        f"SMTP data timeout (message abandoned) on connection from {client} F=<{message.sender}> {session.duration}",
        message.id,
    )
    name = session.active_host_name
    ending.not_quit(session, "data-timeout", 421, f"{name} SMTP incoming data timeout - closing connection.")
    raise ending.Ended


def _forget_id(session: Session, reader: DataReader | ChunkReader) -> None:
    """In logs, a message has no id before its headers are there, as with Exim."""
    if reader.headers is None:
        session.context.message.id = ""


def _data_lost(session: Session, reader: DataReader | ChunkReader) -> NoReturn:
    _forget_id(session, reader)
    ending.message_lost(session, in_headers=reader.headers is None)
    ending.not_quit(session, "connection-lost", 421, "Lost incoming connection")
    raise ending.Ended


def _incoming(session: Session, reader: DataReader | ChunkReader, body: Body) -> Incoming:
    context = session.context
    submitter = session.submitter or server_user(context)
    message = context.message
    if session.submitter is not None:
        _believe(session, submitter)
    incoming = Incoming(
        session.context, session.reception, reader, body, submitter, is_local=session.client.is_local, is_smtp=True
    )
    incoming.size_limit = session.size_limit
    if "PIPELINING" in session.advertised:
        incoming.arrival.pipelining = "L" if session.has_pipelined else "L-"
    message.allow_unqualified_sender = client_may(session, "sender")
    message.allow_unqualified_recipient = client_may(session, "recipient")
    message.login = submitter.login
    message.originator_uid = submitter.uid
    message.originator_gid = submitter.gid
    if not message.recipients:
        incoming.discarded_by = _discarded_by(session)
    return incoming


def _believe(session: Session, submitter: Submitter) -> None:
    """What a local program says of the sender counts only if its caller is trusted."""
    context = session.context
    message, client = context.message, context.client
    if not submitter.is_trusted:
        allowed = session.main.untrusted_set_sender
        if not message.sender or allowed is None or allowed.match(message.sender, context) is None:
            message.sender = submitter.address
        else:
            message.sender_set_untrusted = True
    message.sender_is_local = message.sender == submitter.address
    if message.sender_is_local and not submitter.is_trusted:
        client.authenticated_id = client.authenticated_id or submitter.login


def _discarded_by(session: Session) -> str:
    by = session.transaction.discard_reason or session.transaction.discarded_by
    return f"{by.partition(': ')[0]} discarded recipients)"


def _answer(session: Session, incoming: Incoming, outcome: Outcome) -> None:
    """Tell the client; then, if reports about DMARC want to know of the message, those who make them."""
    feedback = dmarc_feedback.prepare(session, outcome) if "dmarc" in session.context.message.facts else None
    try:
        _tell(session, incoming, outcome)
    finally:
        if feedback is not None:
            with contextlib.suppress(OSError):
                session.flush()
            feedback.give()


def _tell(session: Session, incoming: Incoming, outcome: Outcome) -> None:
    if outcome.status == FAILED:
        session.reply(outcome.code, outcome.reply)
        return
    if outcome.verdict is not None and outcome.status != ACCEPTED:
        _refuse(session, incoming, outcome)
        return
    session.counters.messages += 1
    reception = incoming.reception
    if incoming.final_reply is not None:
        session.reply(*incoming.final_reply)
        _go_on(session, incoming)
        return
    if isinstance(incoming.reader, ChunkReader) and not reception.fake_response:
        session.send(f"250- {incoming.reader.chunk_size} byte chunk, total {incoming.reader.counted_size}\r\n")
    if reception.fake_response:
        text = reception.fake_text or FAKE_TEXT
        session.send(wording(reception.fake_response, text, session.complain).lines())
    elif incoming.accept_message:
        session.send(wording("250", incoming.accept_message, session.complain).lines())
    else:
        session.reply(250, outcome.reply)
    _go_on(session, incoming)


def _go_on(session: Session, incoming: Incoming) -> None:
    """The client has its answer: the message may leave."""
    context = session.context
    if session.is_checking:
        session.send("\n**** SMTP testing: that is not a real message id!\n\n")
    if context.message.recipients and not session.is_checking:
        from eximious.receive.queueing import start_delivery

        start_delivery(incoming, session)


def _refuse(session: Session, incoming: Incoming, outcome: Outcome) -> None:
    verdict = outcome.verdict
    assert verdict is not None
    message = session.context.message
    headers = rejected_header(message, session.logs.selected)
    refusal.log(session, outcome.moment, verdict, headers=headers)
    code = "550" if verdict.result in ("deny", DROP) else "451"
    text = verdict.user_message or refusal.default_text(verdict)
    words = wording(code, text, session.complain)
    session.send(refusal.details(session) + words.lines(multiline=session.settings.multiline_responses))
    if verdict.result == DROP:
        ending.not_quit(session, "acl-drop", int(code), "")
        raise ending.Ended
