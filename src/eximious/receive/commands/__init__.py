"""What SMTP commands do, one file each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from eximious.receive.commands.auth import auth
from eximious.receive.commands.bdat import bdat
from eximious.receive.commands.data import data
from eximious.receive.commands.etrn import etrn
from eximious.receive.commands.helo import helo
from eximious.receive.commands.mail import mail
from eximious.receive.commands.rcpt import rcpt
from eximious.receive.commands.simple import help_, noop, quit_, rset
from eximious.receive.commands.starttls import starttls
from eximious.receive.commands.vrfy import expn, vrfy

if TYPE_CHECKING:
    from eximious.smtp.command import Command

COMMANDS: dict[str, Callable[[Any, Command], None]] = {
    "AUTH": auth,
    "BDAT": bdat,
    "DATA": data,
    "EHLO": helo,
    "ETRN": etrn,
    "EXPN": expn,
    "HELO": helo,
    "HELP": help_,
    "MAIL": mail,
    "NOOP": noop,
    "QUIT": quit_,
    "RCPT": rcpt,
    "RSET": rset,
    "STARTTLS": starttls,
    "VRFY": vrfy,
}
