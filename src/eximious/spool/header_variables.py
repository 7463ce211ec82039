"""The ``-name value`` lines of -H files: one declaration for each, in the order in which Exim writes them.

A declaration says where the value lives in a `Message` and how it is written: as text, as a flag that is present or
absent, as a number, or by functions of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from eximious.spool.errors import SpoolFormatError
from eximious.spool.message import Message
from eximious.taint import Tainted, is_tainted
from eximious.tls_session import TlsSession

Write = Callable[[Message], "str | None"]  # the value to write after the name; "" for the name alone, None for no line
Read = Callable[[Message, str], None]  # the value from the file, "" if there is none; Tainted if the line says so

TEXT: Final = "text"
FLAG: Final = "flag"
COUNT: Final = "count"
OWN: Final = "own"

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")


class Variable:
    """How one kind of line is written and read.

    There is no line while the attribute at `path` is false. Otherwise it is written as text, as the name alone, as a
    number, or as the function `write` says.
    """

    __slots__ = ("kind", "name", "path", "read", "write")

    def __init__(self, name: str, path: str, kind: str, read: Read, write: Write | None = None) -> None:
        self.name = name
        self.path = path
        self.kind = kind
        self.read = read
        self.write = write


class Group:
    """Variables that are written one after the other."""

    __slots__ = ("_kinds", "_values", "variables")

    def __init__(self, *variables: Variable) -> None:
        self.variables = variables
        # One call for all attributes: most are false, and this is done for each message that arrives.
        self._values = attrgetter(*(variable.path for variable in variables))
        self._kinds = [(variable.kind, variable.name, variable.write) for variable in variables]

    def lines(self, message: Message) -> list[str]:
        """The lines, with newlines."""
        out = []
        for value, (kind, name, write) in zip(self._values(message), self._kinds, strict=True):
            if not value:
                continue
            if kind == FLAG:
                out.append(f"-{name}\n")
            elif kind == COUNT:
                out.append(f"-{name} {value}\n")
            else:
                text = write(message) if write is not None else value
                if text:
                    out.append(f"{'--' if text.__class__ is Tainted else '-'}{name} {one_line(text)}\n")
                elif text is not None:
                    out.append(f"-{name}\n")
        return out


_LINE_BREAKERS: Final = str.maketrans({"\n": " ", "\0": " "})


def one_line(text: str) -> str:
    """The text with whatever would end a line of a spool file turned into a space."""
    return text.translate(_LINE_BREAKERS) if "\n" in text or "\0" in text else text


def number(text: str, what: str) -> int:
    """The number that a line holds. Raises SpoolFormatError with `what` if it is none."""
    if not _NUMBER.fullmatch(text):
        raise SpoolFormatError(f"{what}: number expected")
    return int(text)


def _setter(path: str) -> Callable[[Message, Any], None]:
    owner, _, attribute = path.rpartition(".")
    if not owner:
        return lambda message, value: setattr(message, attribute, value)
    find = attrgetter(owner)
    return lambda message, value: setattr(find(message), attribute, value)


def _text(name: str, path: str) -> Variable:
    return Variable(name, path, TEXT, _setter(path))


def _flag(name: str, path: str) -> Variable:
    put = _setter(path)
    return Variable(name, path, FLAG, lambda message, _: put(message, True))


def _count(name: str, path: str) -> Variable:
    """A number that is not written while it is zero."""
    put = _setter(path)
    return Variable(name, path, COUNT, lambda message, value: put(message, number(value, name)))


def _fact(name: str) -> Variable:
    """Text that a feature leaves in `Message.facts` under the same name, and finds there later."""

    def read(message: Message, value: str) -> None:
        message.facts[name] = value

    return Variable(name, "facts", OWN, read, lambda message: message.facts.get(name) or None)


# --- time ------------------------------------------------------------------------------------------------------------


def _write_microseconds(message: Message) -> str:
    return f".{round(message.received_at * 1e6) % 1_000_000:06d}"


def _read_microseconds(message: Message, value: str) -> None:
    message.received_at += number(value.removeprefix("."), "received_time_usec") / 1e6


def _write_complete(message: Message) -> str | None:
    if not message.received_complete_seconds:
        return None
    end = round((message.received_at + message.received_complete_seconds) * 1e6)
    return f"{end // 1_000_000}.{end % 1_000_000:06d}"


def _read_complete(message: Message, value: str) -> None:
    seconds, _, microseconds = value.partition(".")
    what = "received_time_complete"
    end = number(seconds, what) + number(microseconds or "0", what) / 1e6
    message.received_complete_seconds = max(end - message.received_at, 0.0)


# --- hosts -----------------------------------------------------------------------------------------------------------


def _endpoint(name: str, address_path: str, port_path: str) -> Variable:
    """``[address]:port``; ``address.port`` was written by Exim before 4.95."""
    get_address, get_port = attrgetter(address_path), attrgetter(port_path)
    put_address, put_port = _setter(address_path), _setter(port_path)

    def write(message: Message) -> str | None:
        address = get_address(message)
        if not address:
            return None
        text = f"[{address}]:{get_port(message)}"
        return Tainted(text) if is_tainted(address) else text

    def read(message: Message, value: str) -> None:
        address, port = split_endpoint(value)
        put_address(message, Tainted(address) if is_tainted(value) else address)
        put_port(message, port)

    return Variable(name, address_path, OWN, read, write)


def split_endpoint(text: str) -> tuple[str, int]:
    """Address and port (0 if there is none) of ``[address]:port`` or ``address.port``."""
    if text.startswith("["):
        address, _, port = text[1:].rpartition("]")
        port = port.removeprefix(":")
    elif text.count(".") in (1, 4):  # 192.0.2.1.25 or 2001:db8::1.25
        address, _, port = text.rpartition(".")
    else:
        address, port = text, ""
    return address, number(port, "host") if port else 0


# --- body ------------------------------------------------------------------------------------------------------------


def _is_wire_format(message: Message) -> bool:
    return message.body is not None and bool(message.body.is_wire_format)


def _write_line_count(message: Message) -> str | None:
    return None if _is_wire_format(message) else str(message.body_line_count)


def _read_line_count(message: Message, value: str) -> None:
    message.body_line_count = number(value, "body_linecount")


def _write_wire_format(message: Message) -> str | None:
    return "" if _is_wire_format(message) else None


def _read_wire_format(message: Message, value: str) -> None:
    message.facts["spool_file_wireformat"] = True  # for whoever opens the -D file


def _write_longest_line(message: Message) -> str:
    return str(message.max_received_line_length)


def _read_longest_line(message: Message, value: str) -> None:
    message.max_received_line_length = number(value, "max_received_linelength")


# --- state -----------------------------------------------------------------------------------------------------------


def _write_frozen(message: Message) -> str | None:
    return str(int(message.frozen_at)) if message.is_frozen else None


def _read_frozen(message: Message, value: str) -> None:
    message.is_frozen = True
    message.frozen_at = number(value, "frozen")


def _downconvert(name: str, sign: int) -> Variable:
    def read(message: Message, value: str) -> None:
        message.utf8_downconvert = sign

    return Variable(
        name, "utf8_downconvert", OWN, read, lambda message: "" if message.utf8_downconvert == sign else None
    )


# --- TLS -------------------------------------------------------------------------------------------------------------


def _tls(message: Message) -> TlsSession:
    if message.client.tls is None:
        message.client.tls = TlsSession()
    return message.client.tls


def _tls_text(name: str, field: str) -> Variable:
    def write(message: Message) -> str | None:
        tls = message.client.tls
        return (getattr(tls, field) or None) if tls is not None else None

    return Variable(name, "client.tls", OWN, lambda message, value: setattr(_tls(message), field, value), write)


def _tls_escaped(name: str, field: str) -> Variable:
    """Text that may hold anything, a certificate's newlines above all: written with Exim's escapes."""

    def write(message: Message) -> str | None:
        tls = message.client.tls
        value = getattr(tls, field, None)
        return escape(value if isinstance(value, str) else _pem(value)) if value else None

    def read(message: Message, value: str) -> None:
        setattr(_tls(message), field, unescape(value))

    return Variable(name, "client.tls", OWN, read, write)


@lru_cache(64)
def _pem(certificate: Any) -> str:
    """The certificate of a live session as text."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return str(certificate.public_bytes(Encoding.PEM), "ascii")


def _write_verified(message: Message) -> str | None:
    tls = message.client.tls
    return "" if tls is not None and tls.is_verified else None


def _read_verified(message: Message, value: str) -> None:
    _tls(message).is_verified = True


def _write_ocsp(message: Message) -> str | None:
    tls = message.client.tls
    return str(tls.ocsp) if tls is not None and tls.ocsp else None


def _read_ocsp(message: Message, value: str) -> None:
    _tls(message).ocsp = number(value, "tls_ocsp")


def _write_resumption(message: Message) -> str:
    tls = message.client.tls
    return "A" if tls is None else chr(ord("A") + (tls.resumption & 15))


def _read_resumption(message: Message, value: str) -> None:
    if "B" <= value[:1] <= "P":
        _tls(message).resumption = ord(value[0]) - ord("A")


_UNPRINTABLE: Final = re.compile(r"[\\\x00-\x1f\x7f-\xff]")
_ESCAPES: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"}
_ESCAPED: Final = re.compile(r"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", re.DOTALL)
_UNESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v", "f": "\f"}


def escape(text: str) -> str:
    r"""The text with Exim's escapes for what does not print: ``\n``, ``\\``, ``\ooo``. The taint stays."""
    if _UNPRINTABLE.search(text) is None:
        return text
    escaped = _UNPRINTABLE.sub(lambda match: _ESCAPES.get(match[0]) or f"\\{ord(match[0]):03o}", text)
    return Tainted(escaped) if is_tainted(text) else escaped


def unescape(text: str) -> str:
    """What `escape` was given."""
    if "\\" not in text:
        return text
    plain = _ESCAPED.sub(_unescape_one, text)
    return Tainted(plain) if is_tainted(text) else plain


def _unescape_one(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "01234567":
        return chr(int(code, 8) & 0xFF)
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    return _UNESCAPES.get(code, code)


BEFORE_ACL: Final = Group(
    Variable("received_time_usec", "received_at", OWN, _read_microseconds, _write_microseconds),
    Variable("received_time_complete", "received_complete_seconds", OWN, _read_complete, _write_complete),
    _text("helo_name", "client.helo_name"),
    _endpoint("host_address", "client.host_address", "client.host_port"),
    _text("host_name", "client.host_name"),
    _text("host_auth", "client.authenticator_name"),
    _text("host_auth_pubname", "client.authenticator_public_name"),
    _endpoint("interface_address", "client.interface_address", "client.interface_port"),
    _text("active_hostname", "client.active_host_name"),
    _text("ident", "client.ident"),
    _text("received_protocol", "received_protocol"),
)

AFTER_ACL: Final = Group(
    Variable("body_linecount", "id", OWN, _read_line_count, _write_line_count),
    Variable("spool_file_wireformat", "body", OWN, _read_wire_format, _write_wire_format),
    Variable("max_received_linelength", "id", OWN, _read_longest_line, _write_longest_line),
    _count("body_zerocount", "body_zero_count"),
    _text("auth_id", "client.authenticated_id"),
    _text("auth_sender", "authenticated_sender"),
    _flag("allow_unqualified_recipient", "allow_unqualified_recipient"),
    _flag("allow_unqualified_sender", "allow_unqualified_sender"),
    _flag("deliver_firsttime", "deliver_first_time"),
    Variable("frozen", "is_frozen", OWN, _read_frozen, _write_frozen),
    _flag("N", "dont_deliver"),
    _flag("host_lookup_deferred", "client.host_lookup_deferred"),
    _flag("host_lookup_failed", "client.host_lookup_failed"),
    _flag("local", "sender_is_local"),
    _flag("localerror", "is_locally_submitted_error"),
    _fact("local_scan"),
    _flag("manual_thaw", "manual_thaw"),
    _flag("sender_set_untrusted", "sender_set_untrusted"),
    _fact("spam_bar"),
    _fact("spam_score"),
    _fact("spam_score_int"),
    _fact("bmi_verdicts"),
    _fact("debug_selector"),
    _fact("debuglog_name"),
    Variable("tls_certificate_verified", "client.tls", OWN, _read_verified, _write_verified),
    _tls_text("tls_cipher", "cipher"),
    _tls_escaped("tls_peerdn", "peer_dn"),
    _tls_escaped("tls_sni", "sni"),
    _tls_escaped("tls_ourcert", "our_certificate"),
    _tls_escaped("tls_peercert", "peer_certificate"),
    Variable("tls_ocsp", "client.tls", OWN, _read_ocsp, _write_ocsp),
    Variable("tls_resumption", "id", OWN, _read_resumption, _write_resumption),
    _tls_text("tls_ver", "version"),
    _flag("smtputf8", "smtp_utf8"),
    _downconvert("utf8_downcvt", 1),
    _downconvert("utf8_optdowncvt", -1),
    _text("dsn_envid", "dsn_envid"),
    _count("dsn_ret", "dsn_return"),
)

BY_NAME: Final = {variable.name: variable for variable in (*BEFORE_ACL.variables, *AFTER_ACL.variables)}
