"""What controls and modifiers decide about the message that is being received."""

from __future__ import annotations

import re
from typing import Any, Final

HEADER_NAME: Final = re.compile(r"[!-9;-~]+[ \t]*:")
POSITIONS: Final = (":at_start:", ":after_received:", ":at_start_rfc:", ":at_end:")


class Submission:
    """``control = submission``: the message comes from a user's mail program. (Specification, "Submission mode".)"""

    __slots__ = ("domain", "name", "sender_retain")

    def __init__(self) -> None:
        self.sender_retain = False
        self.domain: str | None = None  # None: not given; "": $authenticated_id is a complete address
        self.name = ""


class AddedHeader:
    """A header line that an ACL wants added: its text, with a newline, and where."""

    __slots__ = ("position", "text")

    def __init__(self, text: str, position: str) -> None:
        self.text = text
        self.position = position  # one of POSITIONS


class ConnectionSettings:
    """What controls decide about the connection; they last as long as it does."""

    __slots__ = (
        "advertise_pipelining",
        "auth_unadvertised",
        "enforce_sync",
        "flush_before_callout",
        "flush_before_delay",
        "multiline_responses",
    )

    def __init__(self, *, enforce_sync: bool = True) -> None:
        self.enforce_sync = enforce_sync
        self.auth_unadvertised = False
        self.flush_before_delay = True
        self.flush_before_callout = True
        self.multiline_responses = True
        self.advertise_pipelining = True


class Reception:
    """One message on its way in. Made anew for each."""

    __slots__ = (
        "added_headers",
        "cutthrough",
        "dkim_disable_verify",
        "dmarc_disable_verify",
        "dmarc_enable_forensic",
        "dmarc_override_reason",
        "fake_response",
        "fake_text",
        "freeze",
        "freeze_tell",
        "keep_scanned_copy",
        "queue_first_pass",
        "queue_only",
        "ratelimits",
        "removed_headers",
        "sender_failure",
        "sender_failure_told",
        "senders_verified",
        "submission",
        "suppress_local_fixups",
        "utf8_downconvert",
        "warned",
    )

    def __init__(self) -> None:
        self.added_headers: list[AddedHeader] = []
        self.removed_headers: list[str] = []  # names, or "^" and a regular expression
        self.warned: set[str] = set()  # what ``warn`` statements have logged
        self.freeze = False
        self.freeze_tell = True
        self.queue_only = False
        self.queue_first_pass = False
        self.fake_response = ""  # "450" or "550" instead of "250"
        self.fake_text = ""
        self.submission: Submission | None = None
        self.suppress_local_fixups = False
        self.keep_scanned_copy = False
        self.dkim_disable_verify = False
        self.dmarc_disable_verify = False
        self.dmarc_enable_forensic = False
        self.dmarc_override_reason: tuple[str, str] | None = None  # for reports: its type, and a comment
        self.utf8_downconvert = 0  # 1 must, -1 if needed, 0 no
        self.cutthrough = ""  # options of the control, "" if it was not given
        self.sender_failure: Any = None  # what verifying the sender came to, if it failed
        self.sender_failure_told = False
        self.senders_verified: dict[str, Any] = {}  # results of sender verification, by address
        self.ratelimits: dict[str, float] = {}  # measured for this message

    def add_headers(self, text: str) -> None:
        """Note the header lines in the text, each only once."""
        text = text.strip("\n")
        if not text:
            return
        for line in re.split(r"\n(?![ \t])", text):
            position = ":at_end:"
            body = line
            for name in POSITIONS:
                if line.lstrip().startswith(name):
                    position, body = name, line.lstrip()[len(name) :].lstrip()
            if not HEADER_NAME.match(body):
                body = "X-ACL-Warn: " + body
            body += "\n"
            if all(body != added.text for added in self.added_headers):
                self.added_headers.append(AddedHeader(body, position))
