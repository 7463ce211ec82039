"""The redirect router: aliases, forward files and filters. (Exim specification, chapter "The redirect router".)"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from eximious.config.option import option
from eximious.routers.base import Router, routers
from eximious.routers.outcome import Decision, Deferred, Routing, decline
from eximious.taint import is_tainted

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.config.configuration import Configuration
    from eximious.config.values import Groups, Octal, Users
    from eximious.context import Context
    from eximious.expand.template import Template


BAD_REDIRECT = -17  # the error number, as Exim logs it
SRS_DIRECTIONS: Final = ("forward", "reverse", "reverseandforward")


@routers.register("redirect")
class Redirect(Router):
    """Replace an address by others, by files, pipes or automatic replies, or by nothing."""

    needs_transport: ClassVar[bool | None] = False

    allow_defer: bool = option(False, doc="Permit ``:defer:`` in lists and ``defer`` in filters.")
    allow_fail: bool = option(False, doc="Permit ``:fail:`` in lists and ``fail`` in filters.")
    allow_filter: bool = option(False, doc="Data that begin with ``#Exim filter`` are a filter.")
    allow_freeze: bool = option(False, doc="Permit ``freeze`` in filters.")
    check_ancestor: bool = option(
        False, doc="A generated address that is the same as an ancestor becomes a copy of the present address."
    )
    check_group: bool | None = option(
        None,
        doc="The file's group must be one of owngroups or the user's. Unless set, true if there is reason to look.",
    )
    check_owner: bool | None = option(
        None, doc="The file's owner must be one of owners or the user. True unless set if either is known."
    )
    data: Template | None = option(None, doc="Expanded to give the redirection data.")
    directory_transport: Template | None = option(None, doc="The transport for paths that end with a slash.")
    file: Template | None = option(None, doc="The path of a file that holds the redirection data.")
    file_transport: Template | None = option(None, doc="The transport for paths that do not end with a slash.")
    filter_prepend_home: bool = option(True, doc="Relative paths in ``save`` begin in the home directory.")
    forbid_blackhole: bool = option(False, doc="Refuse ``:blackhole:``.")
    forbid_exim_filter: bool = option(False, doc="Refuse Exim filters even if allow_filter is set.")
    forbid_file: bool = option(False, doc="Refuse deliveries to files and directories.")
    forbid_filter_dlfunc: bool = option(False, doc="No ``${dlfunc`` in filters.")
    forbid_filter_existstest: bool = option(False, doc="No ``exists`` and ``${stat`` in filters.")
    forbid_filter_logwrite: bool = option(False, doc="No ``logwrite`` in filters.")
    forbid_filter_lookup: bool = option(False, doc="No ``${lookup`` in filters.")
    forbid_filter_perl: bool = option(False, doc="No ``${perl`` in filters.")
    forbid_filter_readfile: bool = option(False, doc="No ``${readfile`` in filters.")
    forbid_filter_readsocket: bool = option(False, doc="No ``${readsocket`` in filters.")
    forbid_filter_reply: bool = option(False, doc="Refuse ``mail`` and ``vacation`` in filters.")
    forbid_filter_run: bool = option(False, doc="No ``${run`` in filters.")
    forbid_include: bool = option(False, doc="Refuse ``:include:``.")
    forbid_pipe: bool = option(False, doc="Refuse deliveries to pipes.")
    forbid_sieve_filter: bool = option(False, doc="Refuse Sieve filters even if allow_filter is set.")
    forbid_smtp_code: bool = option(False, doc="Ignore SMTP codes at the start of the text after ``:fail:``.")
    hide_child_in_errmsg: bool = option(False, doc="Bounces do not tell what address was generated.")
    ignore_eacces: bool = option(False, doc="A file that may not be read counts as missing.")
    ignore_enotdir: bool = option(False, doc="A path through something that is no directory counts as missing.")
    include_directory: str | None = option(None, doc="Included files must be below this directory.")
    modemask: Octal = option("022", doc="Mode bits that the file must not have.")
    one_time: bool = option(False, doc="After the first attempt, what was generated replaces the address for good.")
    owners: Users | None = option(None, doc="Who else may own the file.")
    owngroups: Groups | None = option(None, doc="What other groups the file may have.")
    pipe_transport: Template | None = option(None, doc="The transport for commands.")
    qualify_domain: Template | None = option(None, doc="The domain for generated addresses that have none.")
    qualify_preserve_domain: bool = option(False, doc="Generated addresses without a domain get the present one.")
    repeat_use: bool = option(True, doc="This router may run again for an address that it generated.")
    reply_transport: Template | None = option(None, doc="The transport for automatic replies.")
    rewrite: bool = option(True, doc="Generated addresses are rewritten.")
    sieve_enotify_mailto_owner: Template | None = option(
        None, doc="The owner that Sieve notifications name.", later="Sieve filters"
    )
    sieve_subaddress: Template | None = option(None, doc="The :subaddress part for Sieve.", later="Sieve filters")
    sieve_useraddress: Template | None = option(None, doc="The :user part for Sieve.", later="Sieve filters")
    sieve_vacation_directory: Template | None = option(
        None, doc="Where Sieve's vacation keeps its records.", later="Sieve filters"
    )
    skip_syntax_errors: bool = option(False, doc="Skip addresses that are malformed.")
    srs: str | None = option(
        None,
        doc="forward: what is redirected gets a sender in our domain; reverse: an address made so is turned back into "
        "$srs_recipient, others are declined; reverseandforward: both.",
    )
    srs_alias: Template | None = option(None, doc="The domain of rewritten senders; unset: that of the address.")
    srs_condition: Template | None = option(None, doc="If it expands to nothing, 0, no or false, srs counts as unset.")
    srs_dbinsert: Template | None = option(
        None, doc="Expanded to store $srs_db_address under $srs_db_key, which the rewritten sender then has in it."
    )
    srs_dbselect: Template | None = option(None, doc="Expanded to find the address stored under $srs_db_key.")
    syntax_errors_text: Template | None = option(None, doc="The beginning of the message to syntax_errors_to.")
    syntax_errors_to: Template | None = option(None, doc="Who is told about skipped addresses.")

    def check(self, config: Configuration) -> None:
        super().check(config)
        if (self.file is None) == (self.data is None):
            raise self.fault(f'{"one" if self.file is None else "only one"} of "file" or "data" must be specified')
        if self.one_time:
            if self.unseen is not False:
                raise self.fault('"unseen" may not be used with "one_time"')
            if self.headers_add is not None or self.headers_remove is not None:
                raise self.fault('"headers_add" and "headers_remove" are not permitted with "one_time"')
        if self.allow_filter and not self.check_local_user and self.user is None:
            raise self.fault('"user" or "check_local_user" must be set with "allow_filter"')
        if self.qualify_domain is not None and self.qualify_preserve_domain:
            raise self.fault('only one of "qualify_domain" or "qualify_preserve_domain" must be set')
        if self.syntax_errors_text is not None and self.syntax_errors_to is None:
            raise self.fault('"syntax_errors_to" must be set with "syntax_errors_text"')
        self._check_srs()

    def _check_srs(self) -> None:
        if self.srs is not None and self.srs not in SRS_DIRECTIONS:
            raise self.fault(f'"{self.srs}" is not valid for the srs option: {", ".join(SRS_DIRECTIONS)}')
        if self.srs == "reverseandforward" and (self.srs_dbinsert is None) != (self.srs_dbselect is None):
            raise self.fault('"srs_dbinsert" and "srs_dbselect" go together with "srs = reverseandforward"')

    @property
    def is_owner_checked(self) -> bool:
        """``check_owner``, with its default."""
        return bool(self.owners or self.check_local_user) if self.check_owner is None else self.check_owner

    @property
    def is_group_checked(self) -> bool:
        """``check_group``, with its default: if the group could write, or a list says which groups are right."""
        if self.check_group is not None:
            return self.check_group
        return bool(self.owngroups) or (self.check_local_user and not self.modemask & 0o020)

    @property
    def is_pipe_forbidden(self) -> bool:
        """``forbid_pipe``, or implied by ``one_time``."""
        return self.forbid_pipe or self.one_time

    @property
    def is_file_forbidden(self) -> bool:
        """``forbid_file``, or implied by ``one_time``."""
        return self.forbid_file or self.one_time

    @property
    def is_reply_forbidden(self) -> bool:
        """``forbid_filter_reply``, or implied by ``one_time``."""
        return self.forbid_filter_reply or self.one_time

    @cached_property
    def forbidden_items(self) -> frozenset[str]:
        """Special items that may not stand in lists."""
        refused = {
            "blackhole": self.forbid_blackhole,
            "defer": not self.allow_defer,
            "fail": not self.allow_fail,
            "include": self.forbid_include,
        }
        return frozenset(name for name, is_refused in refused.items() if is_refused)

    def route(self, address: Address, context: Context) -> Routing:
        """Read the data and turn them into children of the address."""
        from eximious.routers.handover import set_user_and_group
        from eximious.routers.redirect_children import qualify_domain_of
        from eximious.routers.redirect_source import redirection_data

        set_user_and_group(self, address, context)
        domain = qualify_domain_of(self, address, context)
        if domain is None:
            return decline()
        if self.srs is not None:
            from eximious.routers.redirect_srs import turn_back

            refused = turn_back(self, address, context)
            if refused is not None:
                return refused
        text = redirection_data(self, address, context)
        if text is None:
            return decline()
        if is_filter(text):
            if not self.allow_filter:
                address.errno = BAD_REDIRECT
                word = "data" if self.file is None else "file"
                raise Deferred(f"error in filter {word}: filtering not enabled")
            from eximious.routers.redirect_filter import run_filter

            return run_filter(self, text, address, context, domain)
        return self.expand_list(text, address, context, domain)

    def expand_list(self, text: str, address: Address, context: Context, domain: str) -> Routing:
        """What a list that is no filter comes to."""
        from eximious.routers.redirect_children import Parent, child_of
        from eximious.routers.redirect_errors import report_skipped
        from eximious.routers.redirect_list import RedirectError, parse_list
        from eximious.routers.redirect_rules import rules_for

        try:
            redirection = parse_list(text, rules_for(self, context))
        except RedirectError as error:
            address.errno = BAD_REDIRECT
            raise Deferred(f"error in redirect data: {error}") from error
        if redirection.errors:
            report_skipped(self, redirection.errors, bool(redirection.items), context)
        if redirection.special == "blackhole":
            return Routing(Decision.DISCARD)
        if not redirection.items and not redirection.special:
            return decline("syntax error in redirection data" if redirection.errors else "")
        parent = Parent(self, address, context, domain, tainted=is_tainted(text))
        children = [child_of(parent, item) for item in redirection.items]
        if redirection.special:
            message = redirection.message
            if self.forbid_smtp_code:
                message = without_smtp_code(message)
            return _refusal(redirection.special, message, children)
        return Routing(Decision.ACCEPT, generated=children)


# At the start of a text for the client: a reply code, perhaps with an enhanced one.
_SMTP_CODE: Final = re.compile(r"\A[45]\d\d (?:[45]\.\d{1,3}\.\d{1,3} )?")


def without_smtp_code(text: str) -> str:
    """The text without the reply code that it may begin with."""
    return _SMTP_CODE.sub("", text)


def _refusal(special: str, message: str, children: list[Address]) -> Routing:
    """``:fail:``: what else stands in the list is handled all the same. ``:defer:``: it waits for another time."""
    if special == "fail":
        return Routing(Decision.FAIL, message, user_message=message, generated=children)
    return Routing(Decision.DEFER, message, user_message=message)


def is_filter(text: str) -> bool:
    """True if the data are a filter, not a list."""
    start = text.lstrip()[:20].lower()
    return start.startswith("#") and start[1:].lstrip().startswith(("exim filter", "sieve filter"))
