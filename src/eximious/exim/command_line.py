"""What a command line asked for, as one plain record."""

from __future__ import annotations

from typing import Final

EXIT_SUCCESS: Final = 0
EXIT_FAILURE: Final = 1


class CommandLineError(Exception):
    """The command line cannot be obeyed. `str()` is the whole line for standard error; `status` the exit status."""

    def __init__(self, message: str, status: int = EXIT_FAILURE) -> None:
        super().__init__(message)
        self.status = status


class QueueRun:
    """One ``-q``: how the queue is to be run, once or every `interval` seconds."""

    __slots__ = (
        "first_id",
        "force",
        "force_frozen",
        "initial_only",
        "interval",
        "last_id",
        "local_only",
        "name",
        "two_stage",
    )

    def __init__(self) -> None:
        self.name = ""  # of the queue; "" is the default one
        self.interval: int | None = None  # seconds; None for a single run, at once
        self.two_stage = False
        self.initial_only = False
        self.force = False
        self.force_frozen = False
        self.local_only = False
        self.first_id = ""
        self.last_id = ""


class Selection:
    """``-R`` or ``-S``: only messages with such a recipient, or from such a sender."""

    __slots__ = ("is_regex", "text")

    def __init__(self, text: str, *, is_regex: bool) -> None:
        self.text = text
        self.is_regex = is_regex


class CommandLine:
    """The options of one call. What was not given is None, "" or False."""

    def __init__(self, program: str) -> None:
        self.program = program  # the last component of the name it was called by
        self.words: list[str] = []  # the whole command line without the program, as it was given
        self.called_as = program  # with its path, if it was called by that
        self.arguments: list[str] = []  # what follows the options: recipients, addresses, option names, ...
        self.has_options_end = False  # there was a "--"
        self.modes: list[str] = []  # "bd", "bs", "bt", ...: what is to be done, in the order it was asked for
        self.version_only = False  # -bV: the configuration is only read

        self.config_files = ""  # -C: a colon-separated list
        self.macros: dict[str, str] = {}  # -D

        self.debug: frozenset[str] = frozenset()  # -d: categories (see eximious.exim.debug); empty for none
        self.debug_daemon_only = False  # -dd
        self.verbose = False  # -v
        self.dont_deliver = False  # -N
        self.is_terse = False  # -n
        self.syslog_name = ""  # -L
        self.log_line: str | None = None  # -z

        # Messages handed in on this machine.
        self.sender: str | None = None  # -f; "" for the null sender
        self.sender_name: str | None = None  # -F
        self.recipients_from_header = False  # -t
        self.dot_is_data = False  # -i
        self.no_qualification = False  # -bnq
        self.suppress_fixups = False  # -G
        self.is_local_error = False  # -E
        self.bounced_id = ""  # the id after -E
        self.error_reports = ""  # -oe: "e", "m", "p", "q" or "w"
        self.delivery = ""  # -od: "b" background, "i" at once and waited for, "q" only queued
        self.queue_smtp = False  # -odqs
        self.receive_timeout: int | None = None  # -or, seconds
        self.smtp_receive_timeout: int | None = None  # -os, seconds

        # -oM: what a trusted caller says of where the message came from.
        self.host_address = ""  # -oMa; may end with a port
        self.host_name = ""  # -oMs
        self.interface = ""  # -oMi; may end with a port
        self.ident: str | None = None  # -oMt
        self.protocol = ""  # -oMr
        self.message_reference = ""  # -oMm
        self.authenticator = ""  # -oMaa
        self.authenticated_id: str | None = None  # -oMai
        self.authenticated_sender: str | None = None  # -oMas

        # The daemon.
        self.listen_on = ""  # -oX
        self.pid_file = ""  # -oP
        self.remove_pid_file = False  # -oPX
        self.no_notifier = False  # -oY
        self.tls_on_connect = False  # -tls-on-connect
        self.is_foreground = False  # -bdf
        self.wait_timeout: int | None = None  # -bw, seconds; 0 waits for ever

        # The queue.
        self.queue_name = ""  # -qG without a time
        self.queue_runs: list[QueueRun] = []
        self.recipient_selection: Selection | None = None  # -R
        self.sender_selection: Selection | None = None  # -S
        self.message_action = ""  # the letters after -M; "deliver" for -M itself
        self.message_ids: list[str] = []
        self.new_queue = ""  # -MG
        self.listing = ""  # -bp: letters of "a", "c", "i", "r", "u"
        self.connection_max_messages: int | None = None  # -oB

        # Tests.
        self.test_address = ""  # -bh, -bhc
        self.test_callouts = False  # -bhc
        self.verify_as_sender = False  # -bvs
        self.test_message = ""  # -bem: a file
        self.load_message = ""  # -Mset: an id
        self.filter_file = ""  # -bf
        self.system_filter_file = ""  # -bF
        self.filter_domain: str | None = None  # -bfd
        self.filter_local_part: str | None = None  # -bfl
        self.filter_prefix = ""  # -bfp
        self.filter_suffix = ""  # -bfs
        self.scan_file = ""  # -bmalware
        self.information = ""  # -bI:

        self.alias_file: str | None = None  # -oA

    @property
    def mode(self) -> str:
        """The first thing asked for, or "" if there was none."""
        return self.modes[0] if self.modes else ""

    def asks(self, mode: str) -> bool:
        """True if this mode was asked for."""
        return mode in self.modes

    @property
    def is_daemon(self) -> bool:
        """True if this process is to stay: listening, or running the queue again and again."""
        return self.asks("bd") or self.asks("bw") or any(run.interval is not None for run in self.queue_runs)
