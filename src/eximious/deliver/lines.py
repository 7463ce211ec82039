"""Lines of the main log about deliveries, in Exim's format.

(Exim specification, "Logging deliveries" to "Summary of Fields in Log Lines".)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.address.delivery import Address, Host
    from eximious.transports.outcome import Outcome, Sent

DIRECT = ("pipe", "file", "autoreply")  # flags of addresses that are no addresses


def is_direct(address: Address) -> bool:
    """True for a pipe, a file or an automatic reply."""
    return not address.flags.isdisjoint(DIRECT)


def address_text(address: Address, *, all_parents: bool = False, success: bool = True) -> str:
    """An address as log lines have it: ``user <user@example.org>``, ``user@other.example (list@x) <list@x>``, ..."""
    top = address.top
    shows_top = True
    router, transport = address.router, address.transport
    logs_as_local = success and transport is not None and transport.is_local and router is not None
    if is_direct(address):
        is_save = "file" in address.flags and not address.local_part.startswith("/")
        text = f"save {address.redirected_file}" if is_save and address.redirected_file[:1] != "/" else _direct(address)
    elif logs_as_local and is_logged_as_local(router):
        text = address.local_part
    else:
        text = _whole(address)
        is_shown_whole = not all_parents or address.parent in (None, top)
        if is_shown_whole and not top.onetime_parent and _is_same(text, top.address):
            shows_top = False
    if (all_parents or is_direct(address)) and address.parent is not None and address.parent is not top:
        text += f" ({_parents(address, top, all_parents=all_parents)})"
    return f"{text} <{top.onetime_parent or top.address}>" if shows_top else text


def _direct(address: Address) -> str:
    if "file" in address.flags and address.local_part.startswith("/"):
        return address.local_part
    return address.redirected_file or address.address


def is_logged_as_local(router: object) -> bool:
    """The router's log_as_local option, with its default."""
    chosen = getattr(router, "log_as_local", None)
    return bool(getattr(router, "logs_as_local", False) if chosen is None else chosen)


def _whole(address: Address) -> str:
    if not address.domain:
        return address.address
    local_part = address.local_part
    if address.transport is not None and address.transport.rcpt_include_affixes:
        local_part = f"{address.local_part_prefix}{local_part}{address.local_part_suffix}"
    return f"{local_part}@{address.domain}"


def _is_same(one: str, other: str) -> bool:
    """The same address: the case of letters matters in the local part."""
    local_part, _, domain = one.rpartition("@")
    other_local_part, _, other_domain = other.rpartition("@")
    return local_part == other_local_part and domain.lower() == other_domain.lower()


def _parents(address: Address, top: Address, *, all_parents: bool) -> str:
    parents = []
    parent = address.parent
    while parent is not None and parent is not top:
        parents.append(parent.address)
        if not all_parents:
            break
        parent = parent.parent
    return ", ".join(parents)


def delivered_line(
    flag: str, address: Address, outcome: Outcome, sender: str | None, times: str, selected: frozenset[str]
) -> str:
    """The line of a successful delivery. `sender` is shown if given; `times` is ``QT=`` and ``DT=``."""
    parts = [flag, address_text(address, all_parents="all_parents" in selected)]
    if sender is not None:
        parts.append(f"F=<{sender}>")
    if address.srs is not None:
        parts.append(f"SRS=<{address.srs}>")
    if outcome.return_path is not None and "return_path_on_delivery" in selected:
        parts.append(f"P=<{outcome.return_path}>")
    if address.router is not None:
        parts.append(f"R={address.router.name}")
    transport = address.transport
    if transport is not None:
        parts.append(f"T={transport.name}")
        if "delivery_size" in selected:
            parts.append(f"S={outcome.size}")
        if transport.is_local:
            if address.host_list:
                parts.append(f"H={address.host_list[0].name}")
            if outcome.shadow_name:
                why = f" ({outcome.shadow_message})" if outcome.shadow_message else ""
                parts.append(f"ST={outcome.shadow_name}{why}")
        else:
            parts += sent_parts(outcome, selected)
        is_spoken = outcome.host is not None or transport.driver_name == "lmtp"
        if is_spoken and outcome.confirmation and "smtp_confirmation" in selected:
            parts.append(f'C="{quoted(outcome.confirmation)}"')
    if times:
        parts.append(times)
    return " ".join(parts)


def quoted(text: str) -> str:
    """A reply inside quotes: line ends become visible, quotes and backslashes are escaped."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\\\n")


def sent_parts(outcome: Outcome, selected: frozenset[str]) -> list[str]:
    """What is logged about host and connection."""
    parts = []
    sent = outcome.sent
    if outcome.host is not None:
        parts.append(f"H={host_text(outcome.host, sent, selected)}")
    if sent is None:
        return parts
    if "protocol_detail" in selected and sent.steps and not sent.reused and not outcome.follows:
        parts.append(f"PS={sent.steps}")
    parts += _tls_parts(sent, selected)
    if sent.authenticator and sent.shows_identity:
        text = f"A={sent.authenticator}"
        if sent.authenticated_id:
            text += f":{sent.authenticated_id}"
            if "smtp_mailauth" in selected and sent.mailauth_sender:
                text += f":{sent.mailauth_sender}"
        parts.append(text)
    if "pipelining" in selected and sent.pipelining:
        parts.append("L*" if sent.early_pipelining else "L")
    if sent.prdr:
        parts.append("PRDR")
    if sent.chunking:
        parts.append("K")
    if sent.dkim and outcome.is_first and "dkim_verbose" in selected:
        parts.append(f"DKIM={sent.dkim}")
    return parts


def host_text(host: Host, sent: Sent | None, selected: frozenset[str]) -> str:
    """A host: name and address; port, our own address and more if selected; ``*`` on a connection used before."""
    dnssec = " DS" if "dnssec" in selected and host.dnssec else ""
    text = f"{host.name}{dnssec} [{host.address}]"
    if "outgoing_port" in selected:
        text += f":{host.port}"
    if sent is None:
        return text
    if sent.reused:
        text += "*"
    if sent.proxy is not None and "proxy" in selected:
        text += f" PRX=[{sent.proxy[0]}]:{sent.proxy[1]}"
    if "incoming_interface" in selected and "outgoing_interface" in selected and sent.interface:
        text += f" I=[{sent.interface}]"
        if "outgoing_port" in selected:
            text += f":{sent.interface_port}"
    if sent.fast_open:
        text += " TFO"
    return text


def _tls_parts(sent: Sent, selected: frozenset[str]) -> list[str]:
    tls = sent.tls
    if tls is None:
        return []
    parts = []
    if "tls_cipher" in selected and tls.cipher:
        resumed = "*" if "tls_resumption" in selected and tls.resumption & 4 else ""
        parts.append(f"X={tls.cipher}{resumed}")
    if "tls_certificate_verified" in selected and tls.cipher:
        verified = "dane" if tls.dane else "yes" if tls.is_verified else "no"
        parts.append(f"CV={verified}")
    if "tls_peerdn" in selected and tls.peer_dn and sent.shows_identity:
        parts.append(f'DN="{quoted(tls.peer_dn)}"')
    return parts


def whose(address: Address, *, is_routing: bool = False) -> str:
    """`` R=router T=transport``, as far as there are such."""
    text = f" R={address.router.name}" if address.router is not None else ""
    if address.transport is not None:
        text += f" T={address.transport.name}"
    elif is_routing and address.router is None:
        text += " routing"
    return text


def deferred_line(
    address: Address, outcome: Outcome, selected: frozenset[str], *, took: str = "", is_routing: bool = False
) -> str:
    """The line of an address that is tried again later, without its ``==``. `took` is ``DT=``, if it is shown."""
    text = address_text(address, all_parents="all_parents" in selected, success=False)
    text += f"{whose(address, is_routing=is_routing)} defer ({outcome.errno})"
    if outcome.errno > 0:
        text += f": {os.strerror(outcome.errno)}"
    if outcome.host is not None:
        port = f":{outcome.host.port}" if "outgoing_port" in selected else ""
        text += f" H={outcome.host.name} [{outcome.host.address}]{port}"
    text += f" {took}" if took else ""
    return f"{text}: {outcome.message}" if outcome.message else text


def failed_line(
    address: Address, outcome: Outcome, sender: str | None, selected: frozenset[str], *, took: str = ""
) -> str:
    """The line of an address that bounces, without its ``**``. `took` is ``DT=``, if it is shown."""
    text = address_text(address, all_parents="all_parents" in selected, success=False)
    if sender is not None:
        text += f" F=<{sender}>"
    if outcome.return_path is not None and "return_path_on_delivery" in selected:
        text += f" P=<{outcome.return_path}>"
    text += whose(address)
    if outcome.host is not None:
        text += f" H={host_text(outcome.host, outcome.sent, selected)}"
    text += " :" if outcome.message or outcome.errno > 0 else ""
    if outcome.errno > 0:
        text += f" {os.strerror(outcome.errno)}"
        text += ":" if outcome.message else ""
    text += f" {outcome.message}" if outcome.message else ""
    return f"{text} {took}" if took else text
