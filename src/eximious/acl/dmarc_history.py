"""The file that opendmarc-import reads (option dmarc_history_file)."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from eximious.acl.dkim import signatures
from eximious.waiting import in_thread

if TYPE_CHECKING:
    from eximious.acl.dkim import Checked
    from eximious.acl.dmarc import Found
    from eximious.context import Context
    from eximious.mailauth.dmarc.record import Record

# The numbers that opendmarc-import reads.
ARES: Final = {"pass": 0, "softfail": 2, "neutral": 3, "temperror": 4, "permerror": 5, "none": 6, "fail": 7}
ARES_UNKNOWN: Final = 11
POLICIES: Final = {"accept": 15, "reject": 16, "quarantine": 17, "none": 18}
POLICY_ABSENT: Final = 14
ACTIONS: Final = {"reject": 0, "accept": 2, "temperror": 3, "quarantine": 4}
ARC_POLICIES: Final = {"pass": 0, "fail": 2}
ARC_UNUSED: Final = 1
NO_POLICY: Final = (("pct", 100), ("adkim", ord("r")), ("aspf", ord("r")), ("p", 0), ("sp", 0))


def history(context: Context, found: Found) -> str:
    """What opendmarc-import wants to know of a message, a fact a line."""
    message, verdict = context.message, found.verdict
    assert verdict is not None
    lines: list[tuple[str, object]] = [
        ("job", message.id),
        ("reporter", context.config.main.primary_hostname),
        ("received", int(context.services.now())),
        ("ipaddr", context.client.host_address),
        ("from", found.author),
        ("mfrom", message.sender.rpartition("@")[2]),
        ("spf", ARES.get(verdict.spf_result, ARES_UNKNOWN)),
    ]
    for one in signatures(message):
        lines.append(("dkim", f"{one.domain} {one.selector} {_signature(one)}"))
    lines += [("pdomain", found.used_domain), ("policy", POLICIES.get(found.status, POLICY_ABSENT))]
    lines += _policy(verdict.record)
    lines += [
        ("align_dkim", 4 if verdict.is_dkim_aligned else 5),
        ("align_spf", 4 if verdict.is_spf_aligned else 5),
        ("action", ACTIONS.get(found.status, 2)),
        *_arc(message.facts.get("arc")),
    ]
    return "".join(f"{name} {_one_line(value)}\n" for name, value in lines)


def _signature(one: Checked) -> int:
    """The number for a signature: keys that are no good are permanent errors, as Exim has it."""
    if one.status == "invalid":
        is_temporary = one.result == "temperror"
        return (
            ARES["temperror"]
            if is_temporary
            else ARES["permerror"]
            if one.reason.startswith("pubkey_")
            else ARES_UNKNOWN
        )
    return ARES.get(one.status, ARES_UNKNOWN)


def _policy(record: Record | None) -> list[tuple[str, object]]:
    """Where reports go, and the policy; characters as their codes."""
    if record is None:
        return [("rua", "-"), *NO_POLICY]
    uris = [uri.text for uri in record.aggregate_uris]
    return [
        *(("rua", uri) for uri in uris or ["-"]),
        ("pct", record.percent),
        ("adkim", ord("s" if record.is_dkim_strict else "r")),
        ("aspf", ord("s" if record.is_spf_strict else "r")),
        ("p", ord(str(record.policy)[0])),
        ("sp", ord(str(record.subdomain_policy)[0]) if record.subdomain_policy is not None else 0),
    ]


def _arc(found: Any) -> list[tuple[str, object]]:
    """What the ARC chain says, if an ACL has looked at it, and its links, the newest first."""
    state = "" if found is None else found.state
    links = reversed(found.chain.links) if found is not None else ()
    shown = ", ".join(json.dumps({"i": one.instance, "d": one.domain, "s": one.selector}) for one in links)
    return [
        ("arc", ARES[state] if state in ARC_POLICIES else ARES_UNKNOWN),
        ("arc_policy", f"{ARC_POLICIES.get(state, ARC_UNUSED)} json[{shown} ]"),
    ]


def _one_line(value: object) -> str:
    return "".join(one if one.isprintable() else "?" for one in str(value))


def write(context: Context, found: Found, path: str) -> None:
    """Add the message to the file that the option names. A dry run (-bh) writes nothing."""
    if found.verdict is None or (context.session is not None and context.session.is_checking):
        return
    try:
        in_thread(_append, path, history(context, found).encode("latin-1", "replace"))
    except OSError as error:
        context.services.logs.panic(f"failure to write DMARC history file: {path}: {error.strerror}")


def _append(path: str, data: bytes) -> None:
    """One write, so that messages that come at the same time do not mix."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o640)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)
