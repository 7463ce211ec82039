"""One question to the DNS, under the main options that need to know what is going on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.dns.answer import Answer, Status

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.routers.host_finder import HostFinder

ESCAPE: Final = re.compile(r"\\(0\d\d|1\d\d|2[0-4]\d|25[0-5])")  # an octet, as names from DNS records show it


def query(finder: HostFinder, name: str, kind: str) -> Answer:
    """The answer; ``dns_again_means_nonexist`` is heeded."""
    context: Context = finder.context
    if ("\\" in name or not name.isascii()) and context.config.main.allow_utf8_domains:
        name = in_ascii(name)
    answer = context.services.dns.query(
        name, kind, qualify_single=finder.qualify_single, search_parents=finder.search_parents
    )
    if answer.status is Status.AGAIN:
        nonexistent = context.config.main.dns_again_means_nonexist
        if nonexistent is not None and nonexistent.match(name, context) is not None:
            return Answer(Status.NOMATCH, name)
    return answer


def in_ascii(name: str) -> str:
    """An internationalized name (UTF-8, in octets) in the form that the DNS has; the name itself if it has none."""
    name = ESCAPE.sub(lambda escape: chr(int(escape[1])), name)
    if name.isascii():
        return name
    try:
        return name.encode("latin-1").decode("utf-8").encode("idna").decode("ascii")
    except UnicodeError:
        return name
