"""Domain lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, final

from eximious.errors import ConfigError, Place
from eximious.expand.template import compile as compile_template
from eximious.lists.base import Item, Matched, MatchList, Pattern
from eximious.lists.final_text import final_texts
from eximious.lists.patterns import Text, text, usual_pattern, with_sets

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.lists.host import HostList

MX_ITEMS: Final = ("@mx_any", "@mx_primary", "@mx_secondary")


@final
class DomainList(MatchList):
    """A list of domains. Case does not matter."""

    __slots__ = ()

    kind = "domain"
    registry = "domain"

    def match(self, domain: str, context: Context) -> Matched | None:
        """Is the domain on the list? `data` is then the value for ``$domain_data``. Raises Defer."""
        return self.scan(text(domain), context)

    def compile_pattern(self, text: str, variant: Any, *, in_file: bool) -> Pattern:
        if text.startswith("@"):
            if text == "@":
                return PrimaryHost()
            if text == "@[]":
                return LocalLiteral()
            if text.startswith("@mx_"):
                return _mail_exchanger(text)
        return usual_pattern(text, False)

    def gathered(self, items: list[Item]) -> Sequence[Item]:
        return with_sets(items)


@final
class PrimaryHost(Pattern):
    """``@``: the name of this host."""

    __slots__ = ()

    def test(self, subject: Text, context: Context) -> Matched | None:
        name = context.config.main.primary_hostname
        if subject.lowered != name.lower():
            return None
        context.captures = [subject.lowered]
        return Matched(name)


@final
class LocalLiteral(Pattern):
    """``@[]``: an address of this host in brackets."""

    __slots__ = ()

    def test(self, subject: Text, context: Context) -> Matched | None:
        domain = subject.lowered
        if not (domain.startswith("[") and domain.endswith("]")):
            return None
        from eximious.lists.this_host import is_local_address

        address = domain[1:-1].removeprefix("ipv6:")
        if not is_local_address(address, context):
            return None
        context.captures = [subject.lowered]
        return Matched("@[]")


@final
class MailExchanger(Pattern):
    """``@mx_any``, ``@mx_primary``, ``@mx_secondary``: a domain whose MX records name this host."""

    __slots__ = ("ignored", "which", "written")

    def __init__(self, written: str, which: str, ignored: HostList | None) -> None:
        self.written = written
        self.which = which
        self.ignored = ignored

    def test(self, subject: Text, context: Context) -> Matched | None:
        from eximious.lists.mail_exchanger import role_of_this_host

        role = role_of_this_host(subject.lowered, self.ignored, context)
        if role == "" or (self.which != "@mx_any" and role != self.which.removeprefix("@mx_")):
            return None
        context.captures = [subject.lowered]
        return Matched(self.written)


def _mail_exchanger(text: str) -> Pattern:
    which, slash, rest = text.partition("/")
    if which not in MX_ITEMS:
        return usual_pattern(text, False)
    ignored: HostList | None = None
    if slash:
        if not rest.startswith("ignore="):
            raise ConfigError(f'unknown option in domain list item "{text}"')
        from eximious.lists.host import final_text as host_list

        ignored = host_list(rest.removeprefix("ignore="))
    return MailExchanger(text, which, ignored)


def compile(text: str, place: Place | None = None) -> DomainList:
    """A list as it stands in a configuration: expanded each time it is used, unless there is nothing to expand."""
    return DomainList(compile_template(text, place))


final_text: Final = final_texts(DomainList)
