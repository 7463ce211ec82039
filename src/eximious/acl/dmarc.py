"""DMARC for access control: one check for a message, whose outcome variables, logs and reports are made from."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from eximious.acl import ahead, spf
from eximious.acl.dkim import signatures
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.expand.refusal import refuse_tainted
from eximious.taint import Tainted
from eximious.waiting import wait

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.mailauth.dmarc import Method, SuffixList, Verdict
    from eximious.mailauth.spf import Verdict as SpfVerdict

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


class Found:
    """The outcome of the check, as variables and logs see it."""

    __slots__ = ("author", "is_named", "method", "status", "verdict")

    def __init__(self, status: str, author: str = "", verdict: Verdict | None = None) -> None:
        self.status = status
        self.author = author  # the domain of the From: header
        self.verdict = verdict
        self.method = ""  # of discovery: psl or treewalk
        self.is_named = False  # a condition has been true since it names the status: the ACL does something about it

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
    found = check(context)
    status = found.status
    if not any((name in (status, "*")) != is_negated for name, is_negated in results):
        return False
    found.is_named = found.is_named or (status, False) in results
    return True


def begin(context: Context, lines: list[bytes]) -> None:
    """The header is complete: ask for the record that the author's domain has, if an ACL may want to know."""
    if not ahead.is_worthwhile(ahead.DMARC, context) or context.reception.dmarc_disable_verify:
        return
    from eximious.mailauth.dmarc import author_domains, discover
    from eximious.mailauth.program_resolver import ProgramResolver
    from eximious.mailauth.resolver import is_askable

    fields = [line.decode("latin-1").partition(":") for line in lines if line[:4].lower() == b"from"]
    authors = [one for name, _, text in fields if name.rstrip().lower() == "from" for one in author_domains(text)]
    how = _discovery_at_once(context)
    if not authors or not is_askable(authors[0]) or how is None:
        return
    method, suffix_list = how
    resolver = ProgramResolver(context.services.dns)
    ahead.begin(
        context,
        ahead.DMARC,
        lambda: discover(authors[0], resolver, method=method, suffix_list=suffix_list),
        authors[0],
    )


def _discovery_at_once(context: Context) -> tuple[Method, SuffixList | None] | None:
    """What `discovery` will say, if that is certain; what is wrong is not logged, which `check` will do."""
    from eximious.mailauth.dmarc import Method

    if context.config.main.dmarc_mode == "rfc9989":
        return Method.TREE_WALK, None
    template = context.config.main.dmarc_tld_file
    path = None if template is None or template.constant is None else template.constant.strip()
    try:
        return (Method.SUFFIX_LIST, _loaded(path, os.stat(path).st_mtime_ns)) if path else None
    except (OSError, ValueError):
        return None


def check(context: Context) -> Found:
    """The DMARC verdict on the message; the check is made once."""
    facts = context.message.facts
    found: Found | None = facts.get("dmarc")
    if found is None:
        found = facts["dmarc"] = _checked(context)
        if found.status != "off":
            author = f" header.from={found.author}" if found.author else ""
            facts["authresults_dmarc"] = (f"dmarc={RESULTS[found.status]}{author}",)
            history_file = expanded(context, "dmarc_history_file")
            if history_file:
                from eximious.acl import dmarc_history

                dmarc_history.write(context, found, history_file)
    return found


def _checked(context: Context) -> Found:
    from eximious.mailauth.dmarc import author_domains
    from eximious.mailauth.dmarc import check as evaluate
    from eximious.mailauth.program_resolver import ProgramResolver

    client, message = context.client, context.message
    if not client.host_address or client.authenticator_name or context.reception.dmarc_disable_verify:
        return Found("off")
    how = discovery(context)
    if how is None:
        return Found("off")
    method, suffix_list = how
    headers = [header for header in message.headers if header.name.lower() == "from" and header.kind != "*"]
    authors = [domain for header in headers for domain in author_domains(header.text.partition(":")[2])]
    if not authors:
        return Found("nofrom")
    verified = _spf(context)
    begun = ahead.take(context, ahead.DMARC, authors[0])
    verdict = wait(
        evaluate(
            authors[0],
            resolver=ProgramResolver(context.services.dns),
            spf=None if verified is None else (verified.domain, str(verified.result)),
            dkim=[(one.verification.domain, one.result) for one in signatures(message)],
            method=method,
            suffix_list=suffix_list,
            chance=context.services.random.random,
            discovered=None if begun is None else begun.result(),
        )
    )
    found = Found(_status(verdict), Tainted(authors[0]), verdict)
    found.method = method.value
    return found


def discovery(context: Context) -> tuple[Method, SuffixList | None] | None:
    """How organizational domains are found under this configuration; None if DMARC is switched off."""
    from eximious.mailauth.dmarc import Method

    if context.config.main.dmarc_mode == "rfc9989":
        return Method.TREE_WALK, None
    suffix_list = _suffix_list(context)
    return None if suffix_list is None else (Method.SUFFIX_LIST, suffix_list)


def _spf(context: Context) -> SpfVerdict | None:
    """The verdict of SPF. It should have been asked for already; if not, the log says so, and it is asked now."""
    found: spf.Found | None = context.message.facts.get("spf_checked")
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


def _suffix_list(context: Context) -> SuffixList | None:
    """The list that dmarc_tld_file names, read once; None if the option is empty or the file cannot be read."""
    path = expanded(context, "dmarc_tld_file")
    if not path:
        return None
    try:
        return _loaded(path, os.stat(path).st_mtime_ns)
    except (OSError, ValueError) as error:
        context.services.logs.panic(f"DMARC: failure to load dmarc_tld_file {path}: {error}")
        return None


@lru_cache(maxsize=4)
def _loaded(path: str, _modified: int) -> SuffixList:
    """The list in a file, read anew when the file was changed. Raises OSError, ValueError."""
    from eximious.mailauth.dmarc import SuffixList

    suffix_list = SuffixList(path)
    suffix_list.is_public_suffix("example")
    return suffix_list


def expanded(context: Context, option: str) -> str:
    """The path that a main option gives; empty if it is unset, or cannot be used, of which the panic log hears."""
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
