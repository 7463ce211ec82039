"""The addresses that a redirect router generates, as children of the one that it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eximious.address.delivery import Address
from eximious.address.parse import is_qualified
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.routers.engine import is_same_address
from eximious.routers.handover import change_headers, find_transport, set_errors_address
from eximious.routers.outcome import Deferred
from eximious.routers.redirect_list import Item, Kind
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.routers.redirect import Redirect

# Error numbers as Exim logs them.
BAD_ADDRESS = -10
FORBIDDEN_PIPE = -11
FORBIDDEN_FILE = -12
FORBIDDEN_REPLY = -13
NO_PIPE_TRANSPORT = -14
NO_FILE_TRANSPORT = -15
NO_REPLY_TRANSPORT = -16


BAD_REPLY = "**bad-reply**"  # in place of the recipients of a reply that nobody can get


class Parent:
    """The address that children are made for, with what they all inherit."""

    def __init__(
        self, router: Redirect, address: Address, context: Context, domain: str, *, tainted: bool = False
    ) -> None:
        self.router = router
        self.address = address
        self.context = context
        self.tainted = tainted  # the redirection data come from outside, and so does what they name
        # The children get these; the address itself stays as it was, in case a copy of it goes on.
        kept = (address.errors_to, address.extra_headers, address.remove_headers)
        set_errors_address(router, address, context)
        change_headers(router, address, context)
        self.errors_to, self.extra_headers, self.remove_headers = (
            address.errors_to,
            address.extra_headers,
            address.remove_headers,
        )
        address.errors_to, address.extra_headers, address.remove_headers = kept
        self.qualify_domain = domain  # for addresses that come without one
        self.srs = address.srs
        if router.srs is not None:
            from eximious.routers.redirect_srs import rewritten_sender

            self.srs = rewritten_sender(router, address, context) or address.srs

    def make(self, text: str) -> Address:
        """A child with everything that children inherit, for an address or what stands in its place."""
        parent = self.address
        child = Address(Tainted(text) if self.tainted else text, parent)
        child.recipient = parent.recipient
        child.address_data = parent.address_data
        child.router_variables = parent.router_variables
        child.self_hostname = parent.self_hostname
        child.errors_to = self.errors_to
        child.srs = self.srs
        child.extra_headers = list(self.extra_headers)
        child.remove_headers = list(self.remove_headers)
        child.start_router = self.router.redirect_to
        if child.errors_to == "":
            child.flags.add("ignore_error")
        if self.router.hide_child_in_errmsg:
            child.flags.add("hide_child")
        if self.router.one_time:
            child.onetime_parent = parent.onetime_parent or parent.top.address
        parent.child_count += 1
        return child


def qualify_domain_of(router: Redirect, address: Address, context: Context) -> str | None:
    """The domain for addresses that come without one; None if the router is to decline. Raises Deferred."""
    if router.qualify_preserve_domain:
        return address.domain
    if router.qualify_domain is None:
        return str(context.config.main.qualify_recipient)
    try:
        return router.qualify_domain.expand(context)
    except ForcedFail:
        return None
    except (ExpandError, Defer) as error:
        raise Deferred(f'failed to expand "{router.qualify_domain.source}": {error}') from error


def child_of(parent: Parent, item: Item) -> Address:
    """The child for one item of a list."""
    if item.kind is Kind.PIPE:
        return pipe_child(parent, item.text)
    if item.kind is Kind.FILE:
        return file_child(parent, item.text)
    text = item.text
    if not is_qualified(text):
        text = f"{text}@{parent.address.domain if item.is_local else parent.qualify_domain}"
    return address_child(parent, text)


def address_child(parent: Parent, text: str) -> Address:
    """A child that is an address: rewritten, and kept from looping."""
    router, context = parent.router, parent.context
    if router.rewrite and context.config.rewrite_rules:
        from eximious.rewrite.engine import rewrite_recipient

        text = rewrite_recipient(text, context)
    if router.check_ancestor:
        ancestor: Address | None = parent.address
        while ancestor is not None:
            if is_same_address(ancestor.address, text, caseful=True):
                text = parent.address.address
                break
            ancestor = ancestor.parent
    return parent.make(text)


def pipe_child(parent: Parent, command: str) -> Address:
    """A child that is a command."""
    child = _direct_child(parent, command, "pipe")
    _give_transport(parent, child, parent.router.pipe_transport, "pipe_transport", NO_PIPE_TRANSPORT)
    if parent.router.is_pipe_forbidden:
        _forbid(child, FORBIDDEN_PIPE, "delivery to pipe forbidden")
    return child


def file_child(parent: Parent, path: str) -> Address:
    """A child that is a file or, if the path ends with a slash, a directory."""
    child = _direct_child(parent, path, "file")
    router = parent.router
    if path.endswith("/"):
        _give_transport(parent, child, router.directory_transport, "directory_transport", NO_FILE_TRANSPORT)
    else:
        _give_transport(parent, child, router.file_transport, "file_transport", NO_FILE_TRANSPORT)
    if router.is_file_forbidden:
        _forbid(child, FORBIDDEN_FILE, "delivery to file forbidden")
    return child


def reply_child(parent: Parent, recipients: str, reply: Any) -> Address:
    """A child that is an automatic reply; `reply` is what the filter says about it."""
    child = _direct_child(parent, f">{recipients}", "autoreply")
    child.reply = reply
    if recipients == BAD_REPLY:
        child.flags.add("ignore_error")
        _forbid(child, BAD_ADDRESS, "filter autoreply generated syntactically invalid recipient")
        return child
    _give_transport(parent, child, parent.router.reply_transport, "reply_transport", NO_REPLY_TRANSPORT)
    if parent.router.is_reply_forbidden:
        _forbid(child, FORBIDDEN_REPLY, "autoreply forbidden")
    return child


def _direct_child(parent: Parent, text: str, flag: str) -> Address:
    """A child that needs no routing: who it is done as, and where, is decided now."""
    address = parent.address
    child = parent.make(text)
    child.redirected_file = child.address
    child.flags.add(flag)
    # Deliveries see the local part and domain of the address that was redirected.
    child.local_part, child.local_part_cased, child.domain = (
        address.local_part,
        address.local_part_cased,
        address.domain,
    )
    child.local_part_data, child.domain_data = address.local_part_data, address.domain_data
    child.local_part_prefix, child.local_part_suffix = address.local_part_prefix, address.local_part_suffix
    child.local_part_prefix_v, child.local_part_suffix_v = address.local_part_prefix_v, address.local_part_suffix_v
    child.router = parent.router
    child.uid, child.gid, child.initgroups = address.uid, address.gid, address.initgroups
    child.home_directory = address.home_directory
    child.numeric = list(parent.context.captures)
    return child


def _give_transport(parent: Parent, child: Address, option: Template | None, name: str, missing: int) -> None:
    """Set the transport; if there is none, why not: whoever delivers defers the child then."""
    router, context = parent.router, parent.context
    if option is None:
        child.errno = missing
        child.message = f"{name} unset in {router.name} router"
        return
    present = context.address
    context.address = child
    try:
        child.transport = find_transport(router, option, context)
    except Deferred as error:
        child.errno = missing
        child.message = error.message
    finally:
        context.address = present


def _forbid(child: Address, errno: int, message: str) -> None:
    child.errno = errno
    child.message = message
