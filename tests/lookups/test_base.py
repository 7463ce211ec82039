"""What all lookups share: types that there are not, quoting, the cache, what stands before a query."""

from __future__ import annotations

import pytest

from eximious.context import Context
from eximious.lists.domain import compile
from eximious.lookups.base import UnusableLookup, parse_spec
from eximious.lookups.servers import Server
from eximious.lookups.sql import rows_text
from eximious.taint import Tainted
from tests.expand.context import answer, make_context
from tests.lookups.test_expressions import FILES

UNKNOWN = [
    ("lserch", 'unknown lookup type "lserch"', "did you mean lsearch?"),
    ("partial-lserch*@,ret=full", 'unknown lookup type "lserch"', "did you mean lsearch?"),
    ("zzz", 'unknown lookup type "zzz"', ""),
    (
        "oracle",
        'unknown lookup type "oracle"',
        "Oracle is not supported: *",
    ),
    ("ibase", 'unknown lookup type "ibase"', "InterBase is not supported: *"),
    ("nisplus", 'unknown lookup type "nisplus"', "NIS+ is not supported: *"),
    ("whoson", 'unknown lookup type "whoson"', "there are no whoson servers any more; *"),
    ("testdb", 'unknown lookup type "testdb"', "it is for tests of Exim itself"),
]


@pytest.mark.parametrize(("text", "message", "hint"), UNKNOWN)
def test_unknown_types(text: str, message: str, hint: str) -> None:
    with pytest.raises(UnusableLookup) as raised:
        parse_spec(text)
    assert raised.value.message == message
    assert raised.value.hint == hint or (hint.endswith("*") and raised.value.hint.startswith(hint[:-1]))


def test_nis_is_refused_with_an_explanation() -> None:
    found = answer("${lookup{key}nis{map}}")
    assert found == 'Failed: the lookup type "nis" is not available: NIS is not supported; use ldap or a file'


# What a query for sqlite is made of, and whether it is logged as not quoted. As Exim 4.98 has it.
QUERIES = [
    ("it", False),
    ("$sender_helo_name", True),
    ("${quote_sqlite:$sender_helo_name}", False),
    ("${quote_mysql:$sender_helo_name}", True),
    ("${lc:${quote_sqlite:$sender_helo_name}}", False),
    ("${quote_sqlite:${lc:$sender_helo_name}}", False),
    ("${quote_sqlite:$sender_helo_name}$sender_host_address", False),
    ("${quote_sqlite:$sender_helo_name}$sender_helo_name", True),
    ("${quote_sqlite:$sender_helo_name}${quote_mysql:$sender_helo_name}", True),
    ("${quote_sqlite:$sender_helo_name}${quote_sqlite:$sender_helo_name}", False),
    ("${sg{${quote_sqlite:$sender_helo_name}}{x}{y}}", False),
    ("${map{<, $sender_helo_name}{${quote_sqlite:$item}}}", False),
    ("${if eq{a}{b}{c}{${quote_sqlite:$sender_helo_name}}}", False),
    ("${if eq{a}{b}{c}{$sender_helo_name}}", True),
]


def context_with_helo() -> Context:
    context = make_context()
    context.client.helo_name = Tainted("HELO.example")
    context.client.host_address = "192.0.2.1"
    return context


@pytest.mark.parametrize(("text", "is_logged"), QUERIES)
@pytest.mark.parametrize("is_list", [False, True])
def test_quoting(text: str, is_logged: bool, is_list: bool) -> None:
    context = context_with_helo()
    query = f"select id from them where id = '{text}'"
    if is_list:
        compile(f"<| sqlite,file={FILES}/mail.sqlite;{query}").match("x", context)
    else:
        answer(f"${{lookup sqlite,file={FILES}/mail.sqlite{{{query}}}}}", context)
    lines = context.services.logs.lines  # type: ignore[attr-defined]
    assert len(lines) == is_logged
    assert all(line.startswith("tainted search query is not properly quoted: select id") for line in lines)


def test_the_log_says_where() -> None:
    context = context_with_helo()
    context.router_name = "r"
    answer(f"${{lookup sqlite,file={FILES}/mail.sqlite{{select '$sender_helo_name'}}}}", context)
    assert context.services.logs.lines == [  # type: ignore[attr-defined]
        "tainted search query is not properly quoted (router r): select 'HELO.example'"
    ]


@pytest.mark.parametrize("text", ["${lookup passwd{$sender_helo_name}}", "${lookup dnsdb{a=$sender_helo_name}}"])
def test_what_needs_no_quoting(text: str) -> None:
    context = context_with_helo()
    answer(text, context)
    assert context.services.logs.lines == []  # type: ignore[attr-defined]


def test_the_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("cache") / "db"
    context = make_context(f"sqlite_dbfile = {path}\n")

    def ask(query: str, options: str = "") -> str:
        return answer(f"${{lookup sqlite{options}{{{query}}}{{$value}}{{none}}}}", context)

    ask("create table t (a)")
    assert ask("insert into t values (1)") == "none"
    assert ask("select count(*) from t") == "1"
    import sqlite3

    with sqlite3.connect(path) as other:
        other.execute("insert into t values (2)")
    other.close()
    assert ask("select count(*) from t") == "1"  # remembered
    assert ask("select count(*) from t", ",cache=no_rd") == "2"
    assert ask("select count(*) from t") == "2"
    assert ask("insert into t values (3)") == "none"
    assert ask("insert into t values (3)") == "none"  # a second time
    assert ask("select count(*) from t") == "4"  # what was remembered is forgotten
    context.services.lookups.close()


SERVERS = [
    ("host/db/user/pw", ("host", 0, "", "", ["db", "user", "pw"])),
    ("host:99/db/user/p)w", ("host", 99, "", "", ["db", "user", "p)w"])),
    ("[2001:db8::1]:99/db", ("2001:db8::1", 99, "", "", ["db"])),
    ("2001:db8::1.99/db", ("2001:db8::1", 99, "", "", ["db"])),
    ("2001:db8::1/db", ("2001:db8::1", 0, "", "", ["db"])),
    ("(/run/s)/db/user/pw", ("", 0, "/run/s", "", ["db", "user", "pw"])),
    ("host:1(/run/s)[grp]/db//", ("host", 1, "/run/s", "grp", ["db", "", ""])),
    ("host[tls]", ("host", 0, "", "tls", [])),
    ("[2001:db8::1]:99[tls]/0", ("2001:db8::1", 99, "", "tls", ["0"])),
]


@pytest.mark.parametrize(("text", "expected"), SERVERS)
def test_servers(text: str, expected: tuple[str, int, str, str, list[str]]) -> None:
    server = Server(text)
    assert (server.host, server.port, server.socket, server.group, server.fields) == expected


ROWS: list[tuple[list[str], list[list[str | None]], str | None]] = [
    (["a"], [], None),
    (["a"], [[None]], None),
    (["a"], [[None], ["x"]], "x"),
    (["a"], [["x"], [None], ["y"]], "x\n\ny"),
    (["a"], [[""], ["x"]], "\nx"),
    (["a", "b"], [["x", None], ["y z", '"']], 'a=x b="" \na="y z" b="\\"" '),
]


@pytest.mark.parametrize(("names", "rows", "expected"), ROWS)
def test_rows(names: list[str], rows: list[list[str | None]], expected: str | None) -> None:
    assert rows_text(names, rows) == expected


def test_half_an_answer_is_none() -> None:
    query = "with recursive n(i) as (select 1 union all select i + 1 from n limit 100001) select i from n"
    found = answer(f"${{lookup sqlite,file={FILES}/mail.sqlite{{{query}}}}}")
    assert found.endswith('gave DEFER: "the query gave more than 100000 rows"')
