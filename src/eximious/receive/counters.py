"""What is counted during a session, and what happens when there is too much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.receive import ending
from eximious.smtp.command import WITHOUT_ARGUMENT, Command, without_secrets
from eximious.smtp.server import Fault, Refusal

if TYPE_CHECKING:
    from eximious.receive.session import Session

HISTORY: Final = 20  # commands that are remembered for the log
MAIL_COMMANDS: Final = frozenset({"MAIL", "RCPT", "DATA", "BDAT", "QUIT"})


def refuse_data(session: Session, verb: str) -> bool:
    """DATA (or BDAT) has come without a recipient: say why, where all were refused alike. True if that is the whole
    answer."""
    transaction = session.transaction
    if transaction.refusal is not None and not transaction.refusals_differ:
        lines = "".join(f"503-{line}\r\n" for line in transaction.refusal.split("\n"))
        session.send(f"503-All RCPT commands were rejected with this error:\r\n{lines}")
    if "PIPELINING" not in session.advertised or not session.counters.last_was_rcpt:
        return False
    session.send(f"503 Valid RCPT command must precede {verb}\r\n")
    return True


class Counters:
    """The counts of one connection."""

    __slots__ = (
        "free",
        "history",
        "last_was_rcpt",
        "mail_was_refused",
        "mails",
        "messages",
        "nonmail",
        "nonmail_limited",
        "syntax_errors",
        "unknown",
        "was_rcpt",
    )

    def __init__(self, main: Any) -> None:
        self.history: list[str] = []
        self.nonmail = 0
        self.nonmail_limited: bool | None = None  # whether the client is subject to the limit; None: not yet asked
        self.free = {"HELO", "EHLO", "STARTTLS", "AUTH", "RSET"}  # one each of these does not count
        self.unknown = 0
        self.syntax_errors = 0
        self.was_rcpt = False  # the last command was a RCPT that a client may have sent with others
        self.last_was_rcpt = False  # the one before it
        self.mails = 0  # MAIL commands
        self.mail_was_refused = False  # and nothing but RCPT has come since
        self.messages = 0  # received

    def note(self, verb: str) -> None:
        """A recognised command has come."""
        if verb != "RCPT":
            self.mail_was_refused = verb == "MAIL"  # until it has been accepted
        self.last_was_rcpt = self.was_rcpt
        self.was_rcpt = verb == "RCPT"
        history = self.history
        history.append(verb)
        if len(history) > HISTORY:
            del history[0]

    def new_message(self) -> None:
        """A message begins: some commands are free of charge once more."""
        self.mail_was_refused = False
        self.free |= {"HELO", "EHLO", "STARTTLS", "RSET"}

    def new_tls(self) -> None:
        """TLS has begun: the client must greet and may authenticate again."""
        self.free |= {"HELO", "EHLO", "AUTH"}

    def count_nonmail(self, session: Session, verb: str) -> None:
        """Count a command that does not serve to give us mail. Ends the session if there were too many."""
        if verb in MAIL_COMMANDS:
            return
        if verb in self.free:
            self.free -= {"HELO", "EHLO"} if verb in ("HELO", "EHLO") else {verb}
            return
        self.nonmail += 1
        if self.nonmail <= session.main.smtp_accept_max_nonmail:
            return
        if self.nonmail_limited is None:
            self.nonmail_limited = session.is_client_in("smtp_accept_max_nonmail_hosts")
        if self.nonmail_limited:
            ending.too_many(session, "nonmail commands", "Too many nonmail commands")

    def refused(self, session: Session, refusal: Refusal) -> None:
        """Answer a line that is no command, or a command that cannot come now."""
        verb = refusal.line.split(" ", 1)[0].upper()
        if not Command(verb).may_be_followed("PIPELINING" in session.advertised):
            session.check_synchronisation()
        if refusal.fault is Fault.UNKNOWN:
            self.unknown_command(session, refusal.line)
            return
        if verb not in WITHOUT_ARGUMENT or refusal.code == 503:
            self.note(verb)
        kind = ""
        if verb == "RCPT":
            session.transaction.note_refusal(f"{refusal.code} {refusal.text}")
        if verb == "RCPT" and self.mail_was_refused and not session.has_sender and "PIPELINING" in session.advertised:
            # The client could not know when it sent this.
            session.reply(refusal.code, refusal.text)
            return
        if verb in ("DATA", "BDAT") and refusal.code == 503:
            if refuse_data(session, verb):
                return
        elif verb == "MAIL":
            kind = "protocol"
        self.was_rcpt = False
        self.error(session, refusal.code, refusal.text, kind=kind)

    def unknown_command(self, session: Session, line: str) -> None:
        """Answer what is no command at all."""
        self.unknown += 1
        if self.unknown > session.main.smtp_max_unknown_commands:
            self.log_fault(session, "syntax", "unrecognized command")
            ending.too_many(session, "unrecognized commands", "Too many unrecognized commands", code=500)
        self.error(session, 500, "unrecognized command")

    def error(self, session: Session, code: int, text: str, *, detail: str = "", kind: str = "") -> None:
        """Answer a syntax (501) or protocol (503) error, and count it.

        `detail` is what the log says where it differs from the reply. Ends the session if there were too many.
        """
        self.log_fault(session, kind or ("protocol" if code == 503 else "syntax"), detail or text)
        self.syntax_errors += 1
        if self.syntax_errors > session.main.smtp_max_synprot_errors:
            ending.too_many_errors(session, code, text)
        session.reply(code, text)

    def log_fault(self, session: Session, kind: str, text: str) -> None:
        """Log a client's mistake, if the log selector wants it."""
        if f"smtp_{kind}_error" in session.logs.selected:
            line = without_secrets(session.command.line)
            session.logs.main(f'SMTP {kind} error in "{line}" {session.host_and_ident} {text}')
