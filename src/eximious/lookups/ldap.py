"""ldap, ldapdn, ldapm: entries of a directory, and the condition ldapauth."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer, ExpandError
from eximious.lookups.base import Found, Options, QueryLookup, lookups
from eximious.lookups.ldap_client import (
    INVALID_CREDENTIALS,
    NO_SUCH_OBJECT,
    REFERRAL,
    Connection,
    Entry,
    LdapError,
)
from eximious.lookups.ldap_url import PORTS, Query, host_and_port, parse, referred
from eximious.lookups.pool import Pool
from eximious.lookups.servers import CONNECT_TIMEOUT, QUERY_TIMEOUT
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context

Place = tuple[str, int]  # host or path, and port

MOST_REFERRALS: Final = 5  # one after the other
MOST_REFERENCES: Final = 10  # of one referral, which are all the same

_SAFE_IN_URL = re.compile(r"[^A-Za-z0-9!$'\-._()*+]")
_IN_FILTER: Final = {"*": r"\2A", "(": r"\28", ")": r"\29", "\\": r"\5C", "\0": r"\00"}
_TO_ESCAPE_IN_FILTER = re.compile(r"[*()\\\0]")
_TO_ESCAPE_IN_NAME = re.compile(r'[,+"\\<>;]')


class Ldap(QueryLookup):
    """The attributes of one entry (ldap) or several (ldapm), or one entry's name (ldapdn)."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_query(self, context: Context, query: str, options: Options) -> Found:
        asked = parse(query)
        entries = _search(asked, context)
        if not entries:
            return None
        if len(entries) > 1 and self.name != "ldapm":
            raise Defer(f"LDAP search: more than one entry ({len(entries)}) was returned (filter not specific enough?)")
        context.facts["ldap_dn"] = Tainted(entries[-1][0].decode("latin-1"))
        if self.name == "ldapdn":
            return Tainted(entries[0][0].decode("latin-1"))
        parts: list[str] = []
        for entry in entries:  # once there is something, entries without attributes leave empty lines
            if parts:
                parts.append("\n")
            text = _shown(entry, asked.attribute_count)
            if text is not None:
                parts.append(text)
        return Tainted("".join(parts)) if parts else None

    quote_options = ("dn",)

    def quote(self, text: str, option: str = "") -> str | None:
        if option == "dn":
            return _in_url(_in_name(text))
        return _in_url(_TO_ESCAPE_IN_FILTER.sub(lambda found: _IN_FILTER[found[0]], text))


def _in_url(text: str) -> str:
    return _SAFE_IN_URL.sub(lambda found: f"%{ord(found[0]):02X}", text)


def _in_name(text: str) -> str:
    """The text as part of a distinguished name (RFC 4514, section 2.4)."""
    body = text.strip(" ")
    start = text[: len(text) - len(text.lstrip(" "))] if body else text
    end = text[len(text.rstrip(" ")) :] if body else ""
    escaped = _TO_ESCAPE_IN_NAME.sub(r"\\\g<0>", body)
    if body.startswith("#"):
        escaped = "\\" + escaped
    return start.replace(" ", r"\ ") + escaped + end.replace(" ", r"\ ")


def _shown(entry: Entry, attribute_count: int) -> str | None:
    """The values of an only attribute with commas between, or ``name="values"`` for each; None without attributes."""
    _, attributes = entry
    if not attributes:
        return None
    if attribute_count == 1:
        return ",".join(_listed(values) for _, values in attributes)
    return " ".join(f'{name.decode("latin-1")}="{_escaped(_listed(values))}"' for name, values in attributes)


def _listed(values: list[bytes]) -> str:
    return ",".join(value.decode("latin-1").replace(",", ",,") for value in values)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _places(asked: Query, context: Context) -> list[Place]:
    """The servers to try, in order."""
    if asked.host:
        return [(asked.host, asked.port)]
    configured = asked.servers or context.config.main.ldap_default_servers
    return [host_and_port(text) for text in configured or ()] or [("localhost", 0)]


def _search(asked: Query, context: Context) -> list[Entry]:
    """The entries that the first server gives that answers. Raises Defer."""
    why = ""
    for place in _places(asked, context):
        try:
            return _followed(asked, place, context, MOST_REFERRALS)
        except Defer as error:
            why = str(error)
    raise Defer(why)


def _followed(asked: Query, place: Place, context: Context, hops: int) -> list[Entry]:
    """The entries of one server, or of that to which it refers for the whole search. Raises Defer."""
    try:
        return _searched(asked, place, context)
    except LdapError as error:
        if error.code == NO_SUCH_OBJECT:
            return []
        if error.code != REFERRAL or not asked.refers or not hops:
            raise Defer(f"LDAP search failed - error {error.code}: {error.details}") from None
        return _elsewhere(asked, error.referrals, context, hops - 1)


def _elsewhere(asked: Query, urls: Sequence[str], context: Context, hops: int) -> list[Entry]:
    """The entries of the first of some servers that answers. Raises Defer."""
    why = "LDAP search failed: the server refers to none"
    for url in urls[:MOST_REFERENCES]:
        query = referred(asked, url)
        if query is None or not query.host:
            continue
        try:
            return _followed(query, (query.host, query.port), context, hops)
        except Defer as error:
            why = str(error)
    raise Defer(why)


def _searched(asked: Query, place: Place, context: Context) -> list[Entry]:
    """What one server finds, over a connection of the pool if one is left that works. Raises LdapError or Defer."""
    pool: Pool[Connection] = context.services.lookups.connections.setdefault("ldap", Pool(Connection.close))
    key = f"{asked.scheme}://{place[0]}:{place[1]}"
    limit = asked.net_timeout or QUERY_TIMEOUT

    def ask(connection: Connection) -> list[Entry]:
        connection.limit = limit
        _bind(connection, asked, place)
        return connection.search(asked.search)

    with pool.turn(key, limit):
        try:
            return pool.use(key, lambda: _connected(asked, place, context), ask)
        except OSError as error:
            raise Defer(f"LDAP search failed: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


def _bind(connection: Connection, asked: Query, place: Place) -> None:
    """Say who we are, unless the server knows. Raises Defer."""
    credentials = asked.user.encode("latin-1"), asked.password.encode("latin-1")
    if connection.bound_as == credentials:
        return
    try:
        connection.bind(*credentials)
    except LdapError as error:
        raise _not_bound(asked, place, f"LDAP error {error.code}: {error}") from None


def _not_bound(asked: Query, place: Place, why: str) -> Defer:
    shown = f"{place[0]}:{place[1] or PORTS[asked.scheme]}"
    return Defer(f"failed to bind the LDAP connection to server {shown} - {why}")


def _connected(asked: Query, place: Place, context: Context) -> Connection:
    """A connection, encrypted if the query or the configuration says so. Raises Defer."""
    from eximious.net.connect import connect

    host, port = place
    is_socket = host.startswith("/")
    timeout = asked.net_timeout or CONNECT_TIMEOUT
    if asked.scheme == "ldapi" and not is_socket:
        raise Defer(f'ldapi requires an absolute path ("{host}" given)')
    error: OSError | None = None
    try:
        addresses = [host] if is_socket else _addresses(host, context)
    except Defer as why:
        raise _not_bound(asked, place, str(why)) from None
    for address in addresses:
        try:
            stream = connect(address, port or PORTS[asked.scheme], timeout=timeout)
        except OSError as failure:
            error = failure
            continue
        connection = Connection(stream, asked.net_timeout or QUERY_TIMEOUT)
        if not is_socket:
            _encrypt(connection, asked, host, context)
        return connection
    raise _not_bound(asked, place, "no address" if error is None else _reason(error))


def _addresses(host: str, context: Context) -> list[str]:
    from eximious.lookups.servers import Server, addresses_of

    server = Server("x")
    server.host = host
    return addresses_of(server, context)


def _encrypt(connection: Connection, asked: Query, host: str, context: Context) -> None:
    main: Any = context.config.main
    if asked.scheme != "ldaps" and not main.ldap_start_tls:
        return
    from eximious.tls.errors import TlsError

    try:
        settings = _tls_context(main, host)
        if asked.scheme == "ldaps":
            connection.stream.start_tls_client(settings, host)
        else:
            connection.start_tls(settings, host)
    except (LdapError, OSError, TlsError) as error:
        connection.stream.close()
        raise Defer(f"failed to initiate TLS processing on an LDAP session to server {host}: {error}") from None


def _tls_context(main: Any, host: str) -> Any:
    from eximious.tls.context import ClientContext, Verify

    requirement = (main.ldap_require_cert or "").lower()
    verify = {"never": Verify.NONE, "allow": Verify.NONE, "try": Verify.TRY}.get(requirement, Verify.REQUIRE)
    return ClientContext(
        certificates=[main.ldap_cert_file] if main.ldap_cert_file else (),
        private_keys=[main.ldap_cert_key] if main.ldap_cert_key else (),
        ciphers=main.ldap_cipher_suite or "",
        verify=verify,
        verify_certificates=main.ldap_ca_cert_file or main.ldap_ca_cert_dir or "system",
        verify_names=() if verify is Verify.NONE else (host,),
    )


def authenticate(text: str, context: Context) -> bool:
    """The condition ldapauth: may that user bind with that password? An empty one never may. Raises Defer."""
    asked = parse(text)
    if not asked.has_user or not asked.has_password:
        raise ExpandError("ldapauth lookups must specify the username and password")
    if not asked.password:
        return False
    why: Defer | None = None
    for place in _places(asked, context):
        try:
            connection = _connected(asked, place, context)
        except Defer as error:
            why = error
            continue
        try:
            connection.bind(asked.user.encode("latin-1"), asked.password.encode("latin-1"))
        except LdapError as error:
            if error.code in (INVALID_CREDENTIALS, NO_SUCH_OBJECT):
                return False
            why = _not_bound(asked, place, f"LDAP error {error.code}: {error}")
        except OSError as error:
            why = _not_bound(asked, place, _reason(error))
        else:
            return True
        finally:
            connection.close()
    assert why is not None
    raise why


lookups.register("ldap")(Ldap("ldap"))
for _name in ("ldapdn", "ldapm"):
    lookups.register(_name)(Ldap(_name))
