"""Lookups that ask real servers: PostgreSQL, MariaDB, OpenLDAP, a Redis cluster. Skipped where they are missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from eximious.context import Context
from tests.expand.context import answer, make_context
from tests.lookups import real

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
def directory() -> Iterator[tuple[int, Path]]:
    if not real.HAS_SLAPD:
        pytest.skip("no OpenLDAP")
    with real.slapd(ENTRIES) as place:
        yield place


def check(context: Context, cases: list[tuple[str, str]]) -> None:
    """The strings come to what is written beside them; a star at the end stands for anything."""
    try:
        for text, expected in cases:
            got = answer(text, context)
            if expected.endswith("*"):
                assert got.startswith(expected[:-1]), text
            else:
                assert got == expected, text
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
            ("${lookup pgsql{create table t (a text)}}", ""),
            ("${lookup pgsql{insert into t values ('x'), ('y z')}}", "2"),
            ("${lookup pgsql{select a from t order by a}}", "x\ny z"),
            ("${lookup pgsql{update t set a = a where a = 'nope'}{y$value}{n}}", "y0"),
            ("${lookup pgsql{select * from t where a = 'nope'}{y}{n}}", "n"),
            ("${lookup pgsql{select '${quote_pgsql:it's}'}}", "it's"),
            ("${lookup pgsql{select bogus}}", 'Failed: lookup of "select bogus" gave DEFER: "PGSQL: query failed: *'),
            (f"${{lookup pgsql,servers={server}{{select 3}}}}", "3"),
            ("${lookup pgsql,servers=elsewhere{select 3}}", "Failed: *"),
            ("${lookup pgsql,servers=127.0.0.1::1/a/b/c{select 3}}", "Failed: *"),
        ],
    )


def test_mysql(mariadb_port: int) -> None:
    server = f"127.0.0.1::{mariadb_port}/mail/u/pw"
    context = make_context(f"mysql_servers = 127.0.0.1::1/a/b/c : {server}\n")
    check(
        context,
        [
            ("${lookup mysql{select 1}}", "1"),
            ("${lookup mysql{select 1 as a, 'b c' as d, '' as z}}", 'a=1 d="b c" z="" '),
            ("${lookup mysql{create table t (a varchar(20))}}", "0"),
            ("${lookup mysql{insert into t values ('x'), ('y z')}}", "2"),
            ("${lookup mysql{select a from t order by a}}", "x\ny z"),
            ("${lookup mysql{select * from t where a = 'nope'}{y}{n}}", "n"),
            ("${lookup mysql{select '${quote_mysql:it's \"so\"}'}}", 'it\'s "so"'),
            ("${lookup mysql{select bogus}}", 'Failed: lookup of "select bogus" gave DEFER: "MYSQL: query failed: *'),
            (f"${{lookup mysql,servers={server}{{select 3}}}}", "3"),
            (f"${{lookup mysql,servers=127.0.0.1::{mariadb_port}/mail/u/bad{{select 3}}}}", "Failed: *"),
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
"""


def test_ldap(directory: tuple[int, Path]) -> None:
    port, local = directory
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
            ("${lookup ldap{ldap://127.0.0.1:1/o=base?mail?sub?(cn=fred)}}", "Failed: *"),
            (f"${{if ldapauth{{user=cn=fred,o=base pass=pw1 ldap://127.0.0.1:{port}/}}{{y}}{{n}}}}", "y"),
            (f"${{if ldapauth{{user=cn=fred,o=base pass=pw2 ldap://127.0.0.1:{port}/}}{{y}}{{n}}}}", "n"),
            (f'${{if ldapauth{{user=cn=fred,o=base pass="" ldap://127.0.0.1:{port}/}}{{y}}{{n}}}}', "n"),
        ],
    )


def test_a_redis_cluster() -> None:
    if not real.HAS_REDIS:
        pytest.skip("no Redis")
    with real.redis_cluster() as ports:
        context = make_context(f"redis_servers = 127.0.0.1::{ports[0]}//\n")
        keys = [f"key{number}" for number in range(30)]  # of which every member has some
        cases = [(f"${{lookup redis{{set {key} value-of-{key}}}}}", "OK") for key in keys]
        cases += [(f"${{lookup redis{{get {key}}}}}", f"value-of-{key}") for key in keys]
        check(context, cases)
