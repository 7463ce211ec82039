"""Main options that name the ACLs of each stage of receiving mail. (Exim specification, "Access control lists".)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config.option import Options, option

if TYPE_CHECKING:
    from eximious.expand.template import Template


class AclOptions(Options):
    """Which ACL runs when; each expands to a name, a file, or the text of an ACL."""

    acl_not_smtp: Template | None = option(None, doc="Runs for messages that did not come by SMTP.")
    acl_not_smtp_mime: Template | None = option(
        None, doc="Runs for each MIME part of a message that did not come by SMTP.", later="content scanning"
    )
    acl_not_smtp_start: Template | None = option(
        None, doc="Runs before the data of a message that does not come by SMTP is read."
    )
    acl_smtp_atrn: Template | None = option(None, doc="Runs for the ATRN command.", later="ATRN")
    acl_smtp_auth: Template | None = option(None, doc="Runs for the AUTH command.")
    acl_smtp_connect: Template | None = option(None, doc="Runs when a client has connected, before the greeting.")
    acl_smtp_data: Template | None = option(None, doc="Runs when the whole message has arrived.")
    acl_smtp_data_prdr: Template | None = option(
        "accept",
        doc="Runs once for each recipient after the data, for clients that asked for per-recipient responses.",
        aliases=("acl_data_smtp_prdr",),
    )
    acl_smtp_dkim: Template | None = option(None, doc="Runs for each DKIM signer of a message.")
    acl_smtp_etrn: Template | None = option(None, doc="Runs for the ETRN command.")
    acl_smtp_expn: Template | None = option(None, doc="Runs for the EXPN command.")
    acl_smtp_helo: Template | None = option(None, doc="Runs for HELO and EHLO.")
    acl_smtp_mail: Template | None = option(None, doc="Runs for the MAIL command.")
    acl_smtp_mailauth: Template | None = option(None, doc="Runs for the AUTH parameter of MAIL.")
    acl_smtp_mime: Template | None = option(
        None, doc="Runs for each MIME part of a message that came by SMTP.", later="content scanning"
    )
    acl_smtp_notquit: Template | None = option(None, doc="Runs when a session ends without QUIT.")
    acl_smtp_predata: Template | None = option(None, doc="Runs for the DATA command, before the data.")
    acl_smtp_quit: Template | None = option(None, doc="Runs for the QUIT command.")
    acl_smtp_rcpt: Template | None = option(None, doc="Runs for each RCPT command; without it all are refused.")
    acl_smtp_starttls: Template | None = option(None, doc="Runs for the STARTTLS command.")
    acl_smtp_vrfy: Template | None = option(None, doc="Runs for the VRFY command.")
    acl_smtp_wellknown: Template | None = option(None, doc="Runs for the XWELLKNOWN command.", later="XWELLKNOWN")
    strict_acl_vars: bool = option(False, doc="Using an ACL variable that was never set is an error.")
