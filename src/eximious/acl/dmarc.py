"""DMARC for access control: one check for a message, its variables, and the history file for opendmarc-import."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from eximious.acl import spf
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.expand.refusal import refuse_tainted
from eximious.taint import Tainted
from eximious.waiting import in_thread, wait

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.mailauth.dmarc import Verdict

STATUSES: Final = frozenset({"accept", "reject", "quarantine", "none", "norecord", "nofrom", "temperror", "off", "*"})
TEXTS: Final = {
    "accept": "Accept",
    "reject": "Reject",
    "quarantine": "Quarantine",
    "none": "None, Accept",
    "norecord": "No DMARC record",
    "nofrom": "No domain in the From: header",
    "temperror": "Temporary DNS error",
    "off": "DMARC verification was not done",
}
# $dmarc_status -> the result in Authentication-Results.
RESULTS: Final = {
    "accept": "pass",
    "reject": "fail",
    "quarantine": "fail",
    "none": "none",
    "norecord": "none",
    "nofrom": "permerror",
    "temperror": "temperror",
}
# The numbers that opendmarc-import reads.
ARES: Final = {"pass": 0, "softfail": 2, "neutral": 3, "temperror": 4, "permerror": 5, "none": 6, "fail": 7}
ARES_UNKNOWN: Final = 11
POLICIES: Final = {"accept": 15, "reject": 16, "quarantine": 17, "none": 18}
POLICY_ABSENT: Final = 14
ACTIONS: Final = {"reject": 0, "accept": 2, "temperror": 3, "quarantine": 4}
DKIM_RESULTS: Final = {"pass": "pass", "fail": "fail", "invalid": "neutral", "none": "none"}


class Found:
    """The outcome of the check, as variables and logs see it."""

    __slots__ = ("author", "status", "verdict")

    def __init__(self, status: str, author: str = "", verdict: Verdict | None = None) -> None:
        self.status = status
        self.author = author  # the domain of the From: header
        self.verdict = verdict

    @property
    def text(self) -> str:
        """The status in words."""
        return TEXTS[self.status]

    @property
    def used_domain(self) -> str:
        """Where the record is, or would be."""
        if self.verdict is None:
            return self.author
        return self.verdict.record_domain or self.author

    @property
    def domain_policy(self) -> str:
        """What the record asks for; empty without one."""
        policy = None if self.verdict is None else self.verdict.policy
        return "" if policy is None else str(policy)


def matches(results: list[tuple[str, bool]], context: Context) -> bool:
    """True if the status of the message is one of those."""
    status = check(context).status
    return any((name in (status, "*")) != is_negated for name, is_negated in results)


def check(context: Context) -> Found:
    """The DMARC verdict on the message; the check is made once."""
    facts = context.message.facts
    found: Found | None = facts.get("dmarc")
    if found is None:
        found = facts["dmarc"] = _checked(context)
        if found.status != "off":
            author = f" header.from={found.author}" if found.author else ""
            facts["authresults_dmarc"] = (f"dmarc={RESULTS[found.status]}{author}",)
            _write_history(context, found)
    return found


def _checked(context: Context) -> Found:
    from eximious.mailauth.dmarc import Method, author_domains
    from eximious.mailauth.dmarc import check as evaluate
    from eximious.mailauth.program_resolver import ProgramResolver

    client, message = context.client, context.message
    method = Method.TREE_WALK if context.config.main.dmarc_mode == "rfc9989" else Method.SUFFIX_LIST
    suffix_list = _suffix_list(context) if method is Method.SUFFIX_LIST else None
    is_exempt = not client.host_address or bool(client.authenticator_name)
    if is_exempt or context.reception.dmarc_disable_verify or (suffix_list is None and method is Method.SUFFIX_LIST):
        return Found("off")
    headers = [header for header in message.headers if header.name.lower() == "from" and header.kind != "*"]
    authors = [domain for header in headers for domain in author_domains(header.text.partition(":")[2])]
    if not authors:
        return Found("nofrom")
    verified = _spf(context)
    dkim = message.facts.get("dkim")
    signatures = [] if dkim is None else [(one.verification.domain, DKIM_RESULTS[one.status]) for one in dkim.checked]
    verdict = wait(
        evaluate(
            authors[0],
            resolver=ProgramResolver(context.services.dns),
            spf=None if verified is None else (verified.domain, str(verified.result)),
            dkim=signatures,
            method=method,
            suffix_list=suffix_list,
            chance=context.services.random.random,
        )
    )
    return Found(_status(verdict), Tainted(authors[0]), verdict)


def _spf(context: Context) -> Any:
    """The verdict of SPF. It should have been asked for already; if not, the log says so, and it is asked now."""
    found = context.message.facts.get("spf_checked")
    if found is None:
        context.services.logs.main("DMARC: the spf condition was not used before dmarc_status", context.message.id)
        found = spf.check(context, guess=False)
    return None if found is None else found.verdict


def _status(verdict: Verdict) -> str:
    match verdict.result.value:
        case "pass":
            return "accept"
        case "fail":
            return str(verdict.disposition)
        case "none":
            return "norecord"
        case "temperror":
            return "temperror"
        case _:
            return "nofrom"


def _suffix_list(context: Context) -> Any:
    """The list that dmarc_tld_file names, read once; None if the option is empty or the file cannot be read."""
    path = _expanded(context, "dmarc_tld_file")
    if not path:
        return None
    try:
        return _loaded(path, os.stat(path).st_mtime_ns)
    except (OSError, ValueError) as error:
        context.services.logs.panic(f"DMARC: failure to load dmarc_tld_file {path}: {error}")
        return None


@lru_cache(maxsize=4)
def _loaded(path: str, _modified: int) -> Any:
    """The list in a file, read anew when the file was changed. Raises OSError, ValueError."""
    from eximious.mailauth.dmarc import SuffixList

    suffix_list = SuffixList(path)
    suffix_list.is_public_suffix("example")
    return suffix_list


def _expanded(context: Context, option: str) -> str:
    template = getattr(context.config.main, option)
    if template is None:
        return ""
    try:
        text: str = template.expand(context).strip()
    except ForcedFail:
        return ""
    except (ExpandError, Defer) as error:
        context.services.logs.panic(f"DMARC: failed to expand {option}: {error}")
        return ""
    if text.__class__ is Tainted:
        context.services.logs.panic(str(refuse_tainted(context, f"Tainted name for {option}: '{text}'")))
        return ""
    return text


def history(context: Context, found: Found) -> str:
    """What opendmarc-import wants to know of a message, a fact a line."""
    message, verdict = context.message, found.verdict
    assert verdict is not None
    lines = [
        ("job", message.id),
        ("reporter", context.config.main.primary_hostname),
        ("received", int(context.services.now())),
        ("ipaddr", context.client.host_address),
        ("from", found.author),
        ("mfrom", message.sender.rpartition("@")[2]),
        ("spf", ARES.get(verdict.spf_result, ARES_UNKNOWN)),
    ]
    dkim = message.facts.get("dkim")
    for one in dkim.checked if dkim is not None else ():
        result = ARES.get(DKIM_RESULTS[one.status], ARES_UNKNOWN)
        lines.append(("dkim", f"{one.verification.domain} {one.verification.selector} {result}"))
    record = verdict.record
    lines += [("pdomain", found.used_domain), ("policy", POLICIES.get(found.status, POLICY_ABSENT))]
    if record is not None:
        uris = [f"{uri.uri}!{_size(uri.max_size)}" if uri.max_size else uri.uri for uri in record.aggregate_uris]
        lines += [("rua", uri) for uri in uris or ["-"]]
        lines += [
            ("pct", record.percent),
            ("adkim", ord("s" if record.is_dkim_strict else "r")),
            ("aspf", ord("s" if record.is_spf_strict else "r")),
            ("p", ord(str(record.policy)[0])),
            ("sp", ord(str(record.subdomain_policy)[0]) if record.subdomain_policy is not None else 0),
        ]
    lines += [
        ("align_dkim", 4 if verdict.is_dkim_aligned else 5),
        ("align_spf", 4 if verdict.is_spf_aligned else 5),
        ("action", ACTIONS.get(found.status, 2)),
        ("arc", ARES_UNKNOWN),
        ("arc_policy", "1 json[ ]"),
    ]
    return "".join(f"{name} {_one_line(value)}\n" for name, value in lines)


def _size(octets: int) -> str:
    for letter, unit in (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)):
        if octets % unit == 0:
            return f"{octets // unit}{letter}"
    return str(octets)


def _one_line(value: object) -> str:
    return "".join(one if one.isprintable() else "?" for one in str(value))


def _write_history(context: Context, found: Found) -> None:
    path = _expanded(context, "dmarc_history_file")
    if not path or found.verdict is None:
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
