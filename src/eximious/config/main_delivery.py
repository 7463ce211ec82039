"""Main options about the queue, deliveries, retries and bounces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config.option import Options, option

if TYPE_CHECKING:
    from eximious.config.values import Fixed, Group, Seconds, Size, StringList, Times, User
    from eximious.expand.template import Template
    from eximious.lists.domain import DomainList

DELAY_WARNING_CONDITION = (
    "${if or {"
    "{ !eq{$h_list-id:$h_list-post:$h_list-subscribe:}{} }"
    "{ match{$h_precedence:}{(?i)bulk|list|junk} }"
    "{ match{$h_auto-submitted:}{(?i)auto-generated|auto-replied} }"
    "} {no}{yes}}"
)


class QueueOptions(Options):
    """When messages are delivered, and in what order."""

    auto_thaw: Seconds = option("0s", doc="Try frozen messages again after this long; 0 never.")
    deliver_queue_load_max: Fixed | None = option(None, doc="Above this system load queue runs deliver nothing.")
    disable_fsync: bool = option(False, doc="Do not wait for the disk.", later="delivery without fsync")
    hold_domains: DomainList | None = option(None, doc="Domains to which nothing is delivered, except by command.")
    keep_malformed: Seconds = option("4d", doc="How long broken spool files are kept.")
    move_frozen_messages: bool = option(False, doc="Move frozen messages to Finput and Fmsglog, out of sight.")
    mua_wrapper: bool = option(False, doc="Deliver at once to a smart host or fail, without a queue.")
    queue_domains: DomainList | None = option(None, doc="Domains for which messages wait for a queue run.")
    queue_fast_ramp: bool = option(
        True,
        doc="A two-stage queue run delivers while it still looks at other messages.",
        no_effect="the first stage of a queue run always ends before the second begins",
    )
    queue_only: bool = option(False, doc="Messages are not delivered when they arrive.")
    queue_only_file: StringList | None = option(None, doc="The same while one of these files exists.")
    queue_only_load: Fixed | None = option(None, doc="The same above this system load.")
    queue_only_load_latch: bool = option(True, doc="Once the load was too high, it is so for the rest of a session.")
    queue_only_override: bool = option(True, doc="The -od options of a command line override these.")
    queue_run_in_order: bool = option(False, doc="Queue runs take messages in the order in which they arrived.")
    queue_run_max: Template = option("5", doc="Queue runners at the same time; 0 for no limit.")
    queue_run_order: str | None = option(None, doc="``random``, ``oldest`` or ``newest`` first.")
    queue_smtp_domains: DomainList | None = option(
        None, doc="Domains for which only local deliveries are made at once."
    )
    remote_max_parallel: int = option(6, doc="Remote deliveries of one message at the same time.")
    remote_sort_domains: DomainList | None = option(
        None, doc="Remote deliveries are made in the order of these domains."
    )
    retry_data_expire: Seconds = option("7d", doc="Retry hints that were not used for so long are forgotten.")
    retry_interval_max: Seconds = option("24h", doc="Longest time between two tries.")
    timeout_frozen_after: Seconds = option("0s", doc="Messages frozen for so long are given up; 0 never.")
    allow_mx_to_ip: bool = option(False, doc="MX records may name IP addresses.")


class BounceOptions(Options):
    """Reports about deliveries, and what happens when they cannot be delivered either."""

    bounce_charset: Template = option("us-ascii", doc="Character set of bounces and warnings.")
    bounce_message_file: Template | None = option(None, doc="File with texts for bounces.")
    bounce_message_text: str | None = option(None, doc="A paragraph for bounces.")
    bounce_remote_info: bool = option(True, doc="Bounces tell what the remote host said when it was greeted.")
    bounce_return_body: bool = option(True, doc="Bounces return the body of the message.")
    bounce_return_linesize_limit: int = option(998, doc="With longer lines, in bytes, bounces return the header alone.")
    bounce_return_message: bool = option(True, doc="Bounces return the message or its header.")
    bounce_return_size_limit: Size = option(
        "100K", doc="How much of the message is returned; 0 for no limit.", aliases=("return_size_limit",)
    )
    bounce_sender_authentication: str | None = option(None, doc="Address for AUTH= when bounces are sent.")
    delay_warning: Times = option("24h", doc="When senders are told about delays; the last step repeats.")
    delay_warning_condition: Template | None = option(DELAY_WARNING_CONDITION, doc="No warnings if this is false.")
    dsn_from: Template = option("Mail Delivery System <Mailer-Daemon@$qualify_domain>", doc="From: of bounces.")
    errors_copy: str | None = option(None, doc="Who gets copies of bounces: ``pattern addresses``, in a list.")
    errors_reply_to: str | None = option(None, doc="Reply-To: of bounces.")
    freeze_tell: str | None = option(None, doc="Who is told when a message is frozen; addresses with commas.")
    ignore_bounce_errors_after: Seconds = option("10w", doc="Bounces that cannot be delivered are dropped after this.")
    warn_message_file: Template | None = option(None, doc="File with texts for delay warnings.")


class SystemFilterOptions(Options):
    """The filter that runs once for each message before it is delivered."""

    system_filter: Template | None = option(None, doc="The filter file.")
    system_filter_directory_transport: Template | None = option(
        None, doc="Transport for the filter's saves to a directory."
    )
    system_filter_file_transport: Template | None = option(None, doc="Transport for the filter's saves to a file.")
    system_filter_group: Group | None = option(None, doc="Group for the filter.")
    system_filter_pipe_transport: Template | None = option(None, doc="Transport for the filter's pipes.")
    system_filter_reply_transport: Template | None = option(None, doc="Transport for the filter's replies.")
    system_filter_user: User | None = option(None, doc="User for the filter.")
