"""The moments at which access control lists run, by the names that Exim's logs give them."""

from __future__ import annotations

from typing import Final

RCPT: Final = "RCPT"
MAIL: Final = "MAIL"
PREDATA: Final = "PREDATA"
MIME: Final = "MIME"
DKIM: Final = "DKIM"
DATA: Final = "DATA"
PRDR: Final = "PRDR"
NOT_SMTP: Final = "non-SMTP"
AUTH: Final = "AUTH"
CONNECT: Final = "connection"
ETRN: Final = "ETRN"
EXPN: Final = "EXPN"
HELO: Final = "EHLO or HELO"
MAILAUTH: Final = "MAILAUTH"
NOT_SMTP_START: Final = "non-SMTP-start"
NOTQUIT: Final = "NOTQUIT"
QUIT: Final = "QUIT"
STARTTLS: Final = "STARTTLS"
VRFY: Final = "VRFY"
WELLKNOWN: Final = "WELLKNOWN"
DELIVERY: Final = "delivery"  # run by ${acl ...} or a queue runner, outside reception
UNKNOWN: Final = "unknown"

EVERYWHERE: Final = frozenset({
    RCPT, MAIL, PREDATA, MIME, DKIM, DATA, PRDR, NOT_SMTP, AUTH, CONNECT, ETRN, EXPN, HELO, MAILAUTH, NOT_SMTP_START,
    NOTQUIT, QUIT, STARTTLS, VRFY, WELLKNOWN, DELIVERY, UNKNOWN,
})  # fmt: skip

WITH_DISCARD: Final = frozenset({RCPT, MAIL, MIME, DKIM, DATA, PRDR, NOT_SMTP})  # where "discard" may be the result
SMTP: Final = EVERYWHERE - {NOT_SMTP, NOT_SMTP_START}
WITH_MESSAGE: Final = frozenset(
    {MAIL, RCPT, PREDATA, DATA, PRDR, MIME, DKIM, NOT_SMTP, NOT_SMTP_START}
)  # one is coming

# The main option that names the ACL for each moment.
OPTIONS: Final = {
    CONNECT: "acl_smtp_connect",
    HELO: "acl_smtp_helo",
    AUTH: "acl_smtp_auth",
    STARTTLS: "acl_smtp_starttls",
    MAIL: "acl_smtp_mail",
    MAILAUTH: "acl_smtp_mailauth",
    RCPT: "acl_smtp_rcpt",
    PREDATA: "acl_smtp_predata",
    DATA: "acl_smtp_data",
    PRDR: "acl_smtp_data_prdr",
    MIME: "acl_smtp_mime",
    DKIM: "acl_smtp_dkim",
    ETRN: "acl_smtp_etrn",
    EXPN: "acl_smtp_expn",
    VRFY: "acl_smtp_vrfy",
    WELLKNOWN: "acl_smtp_wellknown",
    QUIT: "acl_smtp_quit",
    NOTQUIT: "acl_smtp_notquit",
    NOT_SMTP: "acl_not_smtp",
    NOT_SMTP_START: "acl_not_smtp_start",
}
