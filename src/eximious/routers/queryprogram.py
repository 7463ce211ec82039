"""The queryprogram router: a command says what becomes of an address. (Chapter "The queryprogram router".)"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from eximious.config.option import option
from eximious.errors import Defer, ExpandError
from eximious.octets import SPACE
from eximious.routers.accounts import find_group, find_user
from eximious.routers.as_user import run_command_as_user
from eximious.routers.base import Router, routers
from eximious.routers.complaints import log_main_and_panic, log_panic
from eximious.routers.handover import hand_over
from eximious.routers.host_list import parse_hosts
from eximious.routers.host_search import HostSearch
from eximious.routers.outcome import Decision, Deferred, Routing, decline
from eximious.transports.argv import BadCommand, expanded

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.config.configuration import Configuration
    from eximious.config.values import ExpandedGroup, ExpandedUser, Seconds
    from eximious.context import Context
    from eximious.expand.template import Template

LONGEST_LINE: Final = 1023  # octets of the command's output that count
MOST_OUTPUT: Final = 64 * 1024  # octets that are read at all
FIELD: Final = re.compile(r'\s*([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(\S*))')


@routers.register("queryprogram")
class QueryProgram(Router):
    """Route as the output of a command says."""

    command: Template | None = option(None, doc="Split into words, each of which is expanded: no shell reads it.")
    command_group: ExpandedGroup | None = option(None, doc="The group to run the command as.")
    command_user: ExpandedUser | None = option(None, doc="The user to run the command as.")
    current_directory: str = option("/", doc="The directory to run the command in.")
    timeout: Seconds = option("1h", doc="The command is killed after this long; 0 lets it run for ever.")

    needs_transport = None

    def check(self, config: Configuration) -> None:
        super().check(config)
        if self.command_user is None and self.command is not None:
            raise self.fault("command_user must be specified")
        if self.command is None:
            raise self.fault("a command specification is required")

    def route(self, address: Address, context: Context) -> Routing:
        """Run the command, and obey its first line."""
        line = self._answer(context)
        word, _, rest = line.partition(" ")
        rest = rest.strip(SPACE)
        match word.lower():
            case "accept":
                return self._accept(rest, address, context)
            case "decline":
                return decline()
            case "pass":
                return Routing(Decision.PASS)
            case "fail":
                return Routing(Decision.FAIL, rest)
            case "defer":
                return Routing(Decision.DEFER, rest)
            case "freeze":
                return Routing(Decision.DEFER, rest, freeze=True)
            case "redirect":
                return self._redirect(rest, address, context)
        log_panic(context, f"{self.name} router: bad command yield: {word} {rest}")
        raise Deferred(f"bad command yield: {word} {rest}")

    # --- the command --------------------------------------------------------------------------------------------------

    def _answer(self, context: Context) -> str:
        """The first line that the command writes, its tabs as spaces. Raises Deferred if it does not do well."""
        assert self.command is not None
        uid, gid = self._identity(context)
        try:
            argv = expanded(self.command.source, context, [], "queryprogram router")
        except BadCommand as error:
            raise Deferred(str(error)) from error
        values = run_command_as_user(argv, uid, gid, self.current_directory, self.timeout, MOST_OUTPUT, context)
        if isinstance(values, str):
            raise Deferred(f"{self.name} router: {values}")
        self._judge_end(values)
        output: str = values["output"]
        line = output[: LONGEST_LINE + 1].partition("\n")[0][:LONGEST_LINE].replace("\t", " ").strip(SPACE)
        if not line:
            raise Deferred(f"{self.name} router: command failed to return data")
        return line

    def _judge_end(self, values: dict[str, Any]) -> None:
        if values["timed_out"]:
            raise Deferred(f"{self.name} router: command timed out", freeze=True)
        status: int = values["status"]
        if status < 0:
            raise Deferred(f"{self.name} router: command killed by signal {-status}", freeze=True)
        if status:
            raise Deferred(f"{self.name} router: command returned non-zero code {status}", freeze=True)

    def _identity(self, context: Context) -> tuple[int, int]:
        assert self.command_user is not None
        user = find_user(self._account("user", self.command_user, context), context.config.main)
        if user is None:
            raise self._not_found("user", self.command_user, context)
        gid = user.gid
        if self.command_group is not None:
            gid = find_group(self._account("group", self.command_group, context))
            if gid is None:
                raise self._not_found("group", self.command_group, context)
        if gid is None:
            raise Deferred(f"command_user set without command_group for {self.name} router")
        return user.uid, gid

    def _account(self, kind: str, template: Template, context: Context) -> str:
        try:
            return template.expand(context)
        except (ExpandError, Defer) as error:
            message = f'Failed to expand {kind} string "{template.source}" for the {self.name} router: {error}'
            log_main_and_panic(context, message)
            raise Deferred(message) from error

    def _not_found(self, kind: str, template: Template, context: Context) -> Deferred:
        text = self._account(kind, template, context)
        message = f'Failed to find {kind} "{text}" from expanded string "{template.source}" for the {self.name} router'
        log_main_and_panic(context, message)
        return Deferred(message)

    # --- what it said -------------------------------------------------------------------------------------------------

    def _accept(self, rest: str, address: Address, context: Context) -> Routing:
        fields = parse_fields(rest)
        if "data" in fields:
            address.address_data = fields["data"]
        transport = None
        if fields.get("transport"):
            transport = context.config.transports.get(fields["transport"])
            if transport is None:
                raise self._complaint(f"unknown transport name {fields['transport']} yielded by command", context)
        transport = hand_over(self, address, context, transport)
        hosts = fields.get("hosts", "")
        if transport is None or transport.is_local or not hosts:
            return Routing(Decision.ACCEPT, transport=transport)
        search = HostSearch(self, address, context)
        search.by = fields.get("lookup", "").lower()
        if search.by not in ("", "byname", "bydns"):
            raise self._complaint(f'bad lookup type "{fields["lookup"]}" yielded by command', context)
        listed = parse_hosts(hosts, randomize=False, random=context.services.random)
        return search.find_all(listed) or Routing(Decision.ACCEPT, transport=transport, hosts=search.hosts)

    def _complaint(self, message: str, context: Context) -> Deferred:
        log_panic(context, f"{self.name} router: {message}")
        return Deferred(message)

    def _redirect(self, rest: str, address: Address, context: Context) -> Routing:
        """What follows is a redirection list, without files, pipes and inclusions."""
        from eximious.routers.redirect import Redirect

        inner = Redirect()
        inner.name = self.name
        inner.given = {name: given for name, given in self.given.items() if name in Router.options}
        inner.__dict__.update(
            redirect_to=self.redirect_to,
            next_router=self.next_router,
            allow_defer=True,
            allow_fail=True,
            forbid_file=True,
            forbid_include=True,
            forbid_pipe=True,
            repeat_use=True,
        )
        return inner.expand_list(rest, address, context, context.config.main.qualify_recipient)


def parse_fields(text: str) -> dict[str, str]:
    """Fields ``name=value`` and ``name="value"``, with the names in lower case; what is no field ends them."""
    fields: dict[str, str] = {}
    position = 0
    while (found := FIELD.match(text, position)) is not None:
        quoted = found[2]
        fields[found[1].lower()] = found[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position = found.end()
    return fields
