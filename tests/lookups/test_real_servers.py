"""Lookups that ask real servers: PostgreSQL, MariaDB, OpenLDAP, a Redis cluster. Skipped where they are missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from eximious.context import Context
from tests.expand.context import answer, make_context
from tests.lookups import real
from tests.tls.authority import Files

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def postgres_port() -> Iterator[int]:
    if not real.HAS_POSTGRES or importlib.util.find_spec("psycopg") is None:
        pytest.skip("no PostgreSQL")
    with real.postgres() as port:
        yield port


@pytest.fixture(scope="module")
def mariadb_port() -> Iterator[int]:
    if not real.HAS_MARIADB or importlib.util.find_spec("pymysql") is None:
        pytest.skip("no MariaDB")
    with real.mariadb() as port:
        yield port


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    Files(folder)
    return folder


@pytest.fixture(scope="module")
def directory(certificates: Path) -> Iterator[real.Directory]:
    if not real.HAS_SLAPD:
        pytest.skip("no OpenLDAP")
    with real.slapd(ENTRIES, certificates) as found:
        yield found


@pytest.fixture(scope="module")
def redis(certificates: Path) -> Iterator[real.RedisPlaces]:
    if not real.HAS_REDIS:
        pytest.skip("no Redis")
    with real.redis(certificates) as found:
        yield found


def check(context: Context, cases: list[tuple[str, str]]) -> None:
    """The strings come to what is written beside them; a star at either end stands for anything."""
    try:
        for text, expected in cases:
            got = answer(text, context)
            start, middle, end = expected.startswith("*"), expected.strip("*"), expected.endswith("*")
            assert got.endswith(middle) or end, text
            assert got.startswith(middle) or start, text
            assert middle in got, (text, got)
    finally:
        context.services.lookups.close()


def test_pgsql(postgres_port: int) -> None:
    server = f"127.0.0.1::{postgres_port}/postgres/postgres/pw"
    context = make_context(f"pgsql_servers = 127.0.0.1::1/a/b/c : {server}\n")
    check(
        context,
        [
            ("${lookup pgsql{select 1}}", "1"),
            ("${lookup pgsql{select 1 as a, 'b c' as \"d e\", '' as z, null as n}}", 'a=1 d e="b c" z="" n="" '),
            ("${lookup pgsql{create table t (a text, b text, n int)}{y$value}{n}}", "n"),
            ("${lookup pgsql{insert into t values ('x', '', 1), ('y z', null, 2), ('q\"q', 'b\\\\s', null)}}", "3"),
            ("${lookup pgsql{insert into t values ('x', '', 1), ('y z', null, 2), ('q\"q', 'b\\\\s', null)}}", "3"),
            ("${lookup pgsql{select a from t where n = 1}}", "x\nx"),
            ("${lookup pgsql{delete from t where n = 1}{y$value}{n}}", "y2"),
            ("${lookup pgsql{select a from t where n = 1}{y$value}{n}}", "n"),
            ("${lookup pgsql{select * from t where n = 2}}", 'a="y z" b="" n=2 \na="y z" b="" n=2 '),
            ("${lookup pgsql{select b from t}{y$value}{n}}", "y\nb\\s\n\nb\\s"),
            ("${lookup pgsql{update t set a = a where a = 'nope'}{y$value}{n}}", "y0"),
            ("${lookup pgsql{ ;}{y$value}{n}}", "n"),
            ("${lookup pgsql{ }{y$value}{n}}", "n"),
            ("${lookup pgsql{select 1; select 2}{y$value}{n}}", "y2"),
            ("${lookup pgsql{select E'a\\nb' as x, 't\tt' as y, '=' as z}}", 'x="a\nb" y="t\tt" z== '),
            ("${lookup pgsql{select '${quote_pgsql:it's}'}}", "it's"),
            ("${lookup pgsql{select bogus}}", 'Failed: lookup of "select bogus" gave DEFER: "PGSQL: query failed: *'),
            (f"${{lookup pgsql,servers={server}{{select 3}}}}", "3"),
            (f"${{lookup pgsql{{servers={server}; select 4}}}}", "4"),
            (
                f"${{lookup pgsql{{servers={server} select 4}}}}",
                '*missing ; after \\"servers=\\" in PostgreSQL lookup"',
            ),
            ("${lookup pgsql,servers=127.0.0.1{select 3}}", '*\\"127.0.0.1\\" not found in pgsql_servers"'),
            ("${lookup pgsql,servers=a/b/c{select 3}}", '*gave DEFER: "incomplete pgSQL server data: a/b"'),
            ("${lookup pgsql,servers=(/tmp/s)/a/b/c{select 3}}", '*"PGSQL invalid filename for socket: /tmp/s"'),
            (
                "${lookup pgsql,servers=127.0.0.1::1/a/b/c{select 3}}",
                "*PGSQL connection failed: *",
            ),
            ("${lookup pgsql,timeout=1s{select pg_sleep(5)}}", "*PGSQL: query failed: *"),
            ("${lookup pgsql,timeout=soon{select 1}}", 'Failed: bad time value "soon" for the lookup option "timeout"'),
            ("${if match_address{x@y}{pgsql;select 1}{y$value}{n}}", "y1"),
            ("${if match_domain{x}{pgsql;select 1 where false}{y$value}{n}}", "n"),
        ],
    )


def test_mysql(mariadb_port: int) -> None:
    server = f"127.0.0.1::{mariadb_port}/mail/u/pw"
    context = make_context(f"mysql_servers = 127.0.0.1::1/a/b/c : {server}\n")
    check(
        context,
        [
            ("${lookup mysql{select 1}}", "1"),
            ("${lookup mysql{select 1 as a, 'b c' as d, '' as z, null as n}}", 'a=1 d="b c" z="" n="" '),
            ("${lookup mysql{create table t (a varchar(20), b varchar(20), n int)}}", "0"),
            ("${lookup mysql{insert into t values ('x', '', 1), ('y z', null, 2), ('q', 'b', null)}}", "3"),
            ("${lookup mysql{insert into t values ('x', '', 1), ('y z', null, 2), ('q', 'b', null)}}", "3"),
            ("${lookup mysql{select a from t where n = 1}}", "x\nx"),
            ("${lookup mysql{delete from t where n = 1}}", "2"),
            ("${lookup mysql{select a from t where n = 1}{y$value}{n}}", "n"),
            ("${lookup mysql{select * from t}}", 'a="y z" b="" n=2 \na=q b=b n="" \na="y z" b="" n=2 \na=q b=b n="" '),
            ("${lookup mysql{select b from t}{y$value}{n}}", "yb\n\nb"),
            ("${lookup mysql{ }{y$value}{n}}", "n"),
            ("${lookup mysql{select * from t where a = 'nope'}{y}{n}}", "n"),
            ("${lookup mysql{select '${quote_mysql:it's \"so\"}'}}", 'it\'s "so"'),
            ("${lookup mysql{select bogus}}", 'Failed: lookup of "select bogus" gave DEFER: "MYSQL: query failed: *'),
            (f"${{lookup mysql,servers={server}{{select 3}}}}", "3"),
            (f"${{lookup mysql{{servers={server}; select 4}}}}", "4"),
            (f"${{lookup mysql,servers=127.0.0.1::{mariadb_port}[group]/mail/u/pw{{select 3}}}}", "3"),
            (
                f"${{lookup mysql,servers=127.0.0.1::{mariadb_port}/mail/u/bad{{select 3}}}}",
                "*Access denied *",
            ),
            ("${lookup mysql,servers=a/b/c{select 3}}", '*gave DEFER: "incomplete MySQL server data: a/b"'),
            ("${lookup mysql,servers=elsewhere{select 3}}", '*\\"elsewhere\\" not found in mysql_servers"'),
            ("${lookup mysql,servers=(/nosock)/a/b/c{select 3}}", "*through socket '/nosock' (2)\""),
            ("${lookup mysql,servers=127.0.0.1::1/a/b/c{select 3}}", "*Can't connect to server on '127.0.0.1' (111)\""),
            ("${lookup mysql,timeout=1s{select sleep(5)}}", '*gave DEFER: "MYSQL: query failed: *'),
        ],
    )


ENTRIES = """dn: o=base
objectClass: organization
o: base

dn: cn=fred,o=base
objectClass: inetOrgPerson
cn: fred
sn: Fred, Smith
sn: Second
mail: fred@x
description: has "quotes" and \\back
userPassword: pw1

dn: cn=joe (x),o=base
objectClass: inetOrgPerson
cn: joe (x)
sn: Joe
mail: joe@x
mail: joe@y

dn: cn=empty,o=base
objectClass: device
cn: empty

dn: cn=alias,o=base
objectClass: extensibleObject
objectClass: alias
cn: alias
aliasedObjectName: cn=fred,o=base

dn: ou=elsewhere,o=base
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:{0}/cn=fred,o=base

dn: ou=loop,o=base
objectClass: referral
objectClass: extensibleObject
ou: loop
ref: ldap://127.0.0.1:{0}/ou=loop,o=base
"""


def test_ldap(directory: real.Directory) -> None:
    port, local = directory.port, directory.socket
    context = make_context(f"ldap_default_servers = 127.0.0.1::1 : 127.0.0.1::{port}\n")
    socket_url = str(local).replace("/", "%2F")
    check(
        context,
        [
            ("${lookup ldap{ldap:///o=base?mail?sub?(cn=fred)}}", "fred@x"),
            ("${lookup ldap{ldap:///o=base?sn?sub?(cn=fred)}}", "Fred,, Smith,Second"),
            ("${lookup ldap{ldap:///o=base?mail,sn?sub?(cn=fred)}}", 'sn="Fred,, Smith,Second" mail="fred@x"'),
            (
                "${lookup ldap{ldap:///o=base?mail,description?sub?(cn=fred)}}",
                'mail="fred@x" description="has \\"quotes\\" and \\\\back"',
            ),
            ("${lookup ldap{ldap:///o=base?mail?sub?(cn=nope)}{y}{n}}", "n"),
            ("${lookup ldap{ldap:///o=base?mail?sub?(objectClass=inetOrgPerson)}}", "Failed: *"),
            ("${lookup ldapm{ldap:///o=base?mail?sub?(objectClass=inetOrgPerson)}}", "fred@x\njoe@x,joe@y"),
            ("${lookup ldapdn{ldap:///o=base?mail?sub?(cn=fred)}} $ldap_dn", "cn=fred,o=base cn=fred,o=base"),
            ("${lookup ldap{ldap:///o=base?mail?sub?(&(cn=f*d)(!(sn=x)))}}", "fred@x"),
            ("${lookup ldap{ldap:///o=base?mail?sub?(cn=${quote_ldap:joe (x)})}}", "joe@x,joe@y"),
            ("${lookup ldap{ldap:///cn=${quote_ldap_dn:joe (x)},o=base?mail?base?}}", "joe@x,joe@y"),
            ("${lookup ldap{user=cn=manager,o=base pass=secret ldap:///o=base?mail?sub?(cn=fred)}}", "fred@x"),
            ("${lookup ldap{user=cn=manager,o=base pass=bad ldap:///o=base?mail?sub?(cn=fred)}}", "Failed: *"),
            (f"${{lookup ldap{{ldapi://{socket_url}/o=base?mail?sub?(cn=fred)}}}}", "fred@x"),
            ("${lookup ldap{ldap://127.0.0.1:1/o=base?mail?sub?(cn=fred)}}", '*127.0.0.1:1 - Connection refused"'),
            (f"${{lookup ldap{{ldap://{socket_url}/o=base?mail?sub?(cn=fred)}}}}", "fred@x"),
            ("${lookup ldap{ldapi:///o=base?mail}}", '*ldapi requires an absolute path (\\"127.0.0.1\\" given)"'),
            ("${lookup ldapm{ldap:///o=base?mail?sub?(objectClass=*)}}", "fred@x\njoe@x,joe@y\n\n"),
            ("${lookup ldap{ldap:///o=base?mail?sub?(cn=empty)}{y}{n}}", "n"),
            ("${lookup ldapdn{ldap:///o=base?mail?sub?(cn=empty)}}", "cn=empty,o=base"),
            ("${lookup ldap{ldap:///o=nobase?mail?sub?(cn=fred)}{y}{n}}", "n"),
            ("${lookup ldap{ldap:///cn=fred,o=base?mail?sub?(cn=fred)?x=y}}", "fred@x"),
            (
                "${lookup ldap{ldap:///o=base?mail?sub?(cn=fred}}",
                '*gave DEFER: "ldap_search failed: -7, Bad search filter"',
            ),
            ("${lookup ldap{ldap:///o=base?mail?odd?(cn=fred)}}", '*DEFER: "ldap_url_parse: (error 8) parsing *'),
            ("${lookup ldap{ldap:/}}", '*(it starts with \\"ldap:/...\\")"'),
            ("${lookup ldap{foo}}", '*DEFER: "malformed parameter setting precedes LDAP URL"'),
            ("${lookup ldap{odd=5 ldap:///o=base?mail}}", '*unknown parameter \\"odd=\\" precedes LDAP URL"'),
            ("${lookup ldap{size=1 time=5 connect=5 ldap:///o=base?mail?sub?(sn=*)}}", "fred@x"),
            ("${lookup ldap{dereference=always ldap:///cn=alias,o=base?mail?base?}}", "fred@x"),
            ("${lookup ldap{dereference=never ldap:///cn=alias,o=base?mail?base?}{y}{n}}", "n"),
            ("${lookup ldap{ldap:///ou=elsewhere,o=base?mail?base?}}", "fred@x"),
            (
                "${lookup ldap{ldap:///ou=loop,o=base?mail?base?}}",
                '*- error 10: Referral/ou=loop,o=base"',
            ),
            (
                "${lookup ldap{referrals=nofollow ldap:///ou=elsewhere,o=base?mail?base?}}",
                '*LDAP search failed - error 10: Referral/ou=elsewhere,o=base"',
            ),
            ("${lookup ldap{referrals=odd ldap:///o=base?mail}}", '*LDAP option REFERRALS is not \\"follow\\" or *'),
            (f"${{lookup ldap{{servers=127.0.0.1::{port} ldap:///o=base?mail?sub?(cn=fred)}}}}", "fred@x"),
            ("${lookup ldap{servers=127.0.0.1::1 ldap:///o=base?mail?sub?(cn=fred)}}", '*- Connection refused"'),
            ('${lookup ldap{USER="cn=manager,o=base" PASS="secret" ldap:///cn=fred,o=base?mail}}', "fred@x"),
            ("${lookup ldap{user=cn%3Dmanager,o=base pass=secret ldap:///cn=fred,o=base?mail}}", "fred@x"),
            ("${lookup ldap{pass=x ldap:///cn=fred,o=base?mail}}", '*LDAP error 49: Invalid credentials"'),
            (f'${{if ldapauth{{user="" pass=x ldap://127.0.0.1:{port}/}}{{y}}{{n}}}}', "n"),
            (f"${{if ldapauth{{user=odd pass=x ldap://127.0.0.1:{port}/}}{{y}}{{n}}}}", "*error 34: Invalid DN syntax"),
            (
                "${if ldapauth{user=cn=fred,o=base pass=pw1}{y}{n}}",
                "*malformed parameter setting precedes LDAP URL",
            ),
            (
                "${if ldapauth{pass=x ldap:///}{y}{n}}",
                "*must specify the username and password",
            ),
            (f"${{if ldapauth{{user=cn=fred,o=base pass=pw1 ldap://127.0.0.1:{port}/}}{{y}}{{n}}}}", "y"),
            (f"${{if ldapauth{{user=cn=fred,o=base pass=pw2 ldap://127.0.0.1:{port}/}}{{y}}{{n}}}}", "n"),
            (f'${{if ldapauth{{user=cn=fred,o=base pass="" ldap://127.0.0.1:{port}/}}{{y}}{{n}}}}', "n"),
        ],
    )


@pytest.mark.parametrize(
    ("options", "scheme", "expected"),
    [
        ("ldap_start_tls", "ldap", "fred@x"),
        ("", "ldaps", "fred@x"),
        ("ldap_require_cert = demand", "ldaps", "fred@x"),
        ("ldap_cert_file = CERTS/client.pem\nldap_cert_key = CERTS/client.pem", "ldaps", "fred@x"),
        ("ldap_ca_cert_file = CERTS/stranger.pem", "ldaps", "*failed to initiate TLS processing on an LDAP session *"),
        ("ldap_ca_cert_file = CERTS/stranger.pem\nldap_require_cert = never", "ldaps", "fred@x"),
        ("ldap_start_tls\nldap_ca_cert_file = CERTS/stranger.pem", "ldap", "*failed to initiate TLS processing *"),
        ("ldap_ca_cert_file = CERTS/none.pem", "ldaps", "*failed to initiate TLS processing on an LDAP session *"),
    ],
)
def test_ldap_with_tls(directory: real.Directory, certificates: Path, options: str, scheme: str, expected: str) -> None:
    if "ldap_ca_cert_file" not in options:
        options += "\nldap_ca_cert_file = CERTS/ca.pem"
    context = make_context(options.replace("CERTS", str(certificates)) + "\n")
    port = directory.tls_port if scheme == "ldaps" else directory.port
    check(context, [(f"${{lookup ldap{{{scheme}://127.0.0.1:{port}/cn=fred,o=base?mail}}}}", expected)])


REDIS = [
    # The server, and what is asked of it.
    ("127.0.0.1::PORT/0/secret", "set key ${quote_redis:two words}", "OK"),
    ("127.0.0.1::PORT/0/secret", "get key", "two words"),
    ("127.0.0.1::PORT//secret", "get key", "two words"),
    ("(SOCKET)/0/secret", "get key", "two words"),
    ("(SOCKET)/1/secret", "get key", ""),
    ("127.0.0.1::TLS[tls]/0/secret", "get key", "two words"),
    ("127.0.0.1::TLS[tls]/0/mail/pw", "get key", "two words"),
    ("127.0.0.1::PORT/0/mail/pw", "get key", "two words"),
    ("127.0.0.1::PORT/0/mail/pw", "set key x", "*REDIS: query failed: NOPERM *"),
    ("127.0.0.1::PORT/0/mail/bad", "get key", "*REDIS connection failed: authentication failed: WRONGPASS *"),
    ("127.0.0.1::PORT/0/bad", "get key", "*REDIS connection failed: authentication failed: WRONGPASS *"),
    ("127.0.0.1::PORT//", "get key", "*REDIS: query failed: NOAUTH *"),
    ("127.0.0.1::PORT/999/secret", "get key", "*REDIS connection failed: selecting database 999 failed: ERR *"),
    ("127.0.0.1::PORT[tls]/0/secret", "get key", "*REDIS connection failed: *"),
    ("127.0.0.1::TLS/0/secret", "get key", "*REDIS connection failed: *"),
    ("127.0.0.1::TLS[odd]/0/secret", "get key", '*unknown word \\"odd\\" after the server: \\"tls\\" is known"'),
    ("127.0.0.1::1// : 127.0.0.1::PORT/0/bad : 127.0.0.1::PORT/0/secret", "get key", "two words"),
    ("127.0.0.1::PORT/0/secret", "rpush list a b c", "true"),
    ("127.0.0.1::PORT/0/secret", "lrange list 0 -1", "a\nb\nc"),
    ("127.0.0.1::PORT/0/secret", "lrange list 7 8", "*none"),
    ("127.0.0.1::PORT/0/secret", "blpop nothing 5", '*REDIS: query failed: Connection timed out"'),
    ("127.0.0.1::PORT/0/secret", "nonsense", "*REDIS: query failed: ERR unknown command *"),
]


def test_redis(redis: real.RedisPlaces, certificates: Path) -> None:
    for servers, query, expected in REDIS:
        servers = servers.replace("PORT", str(redis.port)).replace("TLS", str(redis.tls_port))
        servers = servers.replace("SOCKET", str(redis.socket))
        context = make_context(f"redis_servers = {servers}\nredis_tls_verify_certificates = {certificates}/ca.pem\n")
        check(context, [(f"${{lookup redis,timeout=1s{{{query}}}{{$value}}{{none}}}}", expected)])


def test_redis_with_a_certificate_of_a_stranger(redis: real.RedisPlaces, certificates: Path) -> None:
    servers = f"127.0.0.1::{redis.tls_port}[tls]/0/secret"
    context = make_context(f"redis_servers = {servers}\nredis_tls_verify_certificates = {certificates}/stranger.pem\n")
    check(context, [("${lookup redis{get key}}", "*REDIS connection failed: TLS: *")])


def test_a_redis_cluster() -> None:
    if not real.HAS_REDIS:
        pytest.skip("no Redis")
    with real.redis_cluster() as ports:
        context = make_context(f"redis_servers = 127.0.0.1::{ports[0]}//\n")
        keys = [f"key{number}" for number in range(30)]  # of which every member has some
        cases = [(f"${{lookup redis{{set {key} value-of-{key}}}}}", "OK") for key in keys]
        cases += [(f"${{lookup redis{{get {key}}}}}", f"value-of-{key}") for key in keys]
        check(context, cases)
        context = make_context(f"redis_servers = 127.0.0.1::1// : 127.0.0.1::{ports[1]}//\n")
        check(context, cases[30:])
