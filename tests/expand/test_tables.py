"""The tables that say in which module an item, an operator, a condition or a lookup type is."""

from __future__ import annotations

from typing import Any

import pytest

from eximious.expand import condition, item, operator
from eximious.lookups import base

# Parts of Exim's language; what an expansion may begin with, according to the specification of 4.99.
ITEMS = frozenset(
    (
        *("acl", "authresults", "certextract", "dlfunc", "env", "extract", "filter", "hash", "hmac", "if"),
        *("imapfolder", "length", "listextract", "listquote", "lookup", "map", "nhash", "perl", "prvs", "prvscheck"),
        *("readfile", "readsocket", "reduce", "run", "sg", "sort", "srs_encode", "substr", "tr"),
    )
)
OPERATORS = frozenset(
    (
        *("address", "addresses", "base32", "base32d", "base62", "base62d", "base64", "base64d", "domain", "escape"),
        *("escape8bit", "eval", "eval10", "expand", "from_utf8", "h", "hash", "headerwrap", "hex2b64", "hexquote"),
        *("ipv6denorm", "ipv6norm", "l", "lc", "length", "listcount", "listnamed", "local_part", "mask", "md5", "nh"),
        *("nhash", "quote", "quote_local_part", "randint", "reverse_ip", "rfc2047", "rfc2047d", "rxquote", "s"),
        *("sha1", "sha256", "sha3", "stat", "str2b64", "strlen", "substr", "time_eval", "time_interval", "uc"),
        *("utf8clean", "utf8_domain_from_alabel", "utf8_domain_to_alabel", "utf8_localpart_from_alabel"),
        *("utf8_localpart_to_alabel", "xtextd"),
    )
)
CONDITIONS = frozenset(
    (
        *("=", "==", "<", "<=", ">", ">=", "acl", "and", "bool", "bool_lax", "crypteq", "def", "eq", "eqi", "exists"),
        *("first_delivery", "forall", "forall_json", "forall_jsons", "forany", "forany_json", "forany_jsons", "ge"),
        *("gei", "gt", "gti", "inbound_srs", "inlist", "inlisti", "isip", "isip4", "isip6", "ldapauth", "le", "lei"),
        *("lt", "lti", "match", "match_address", "match_domain", "match_ip", "match_local_part", "or", "pam"),
        *("pwcheck", "queue_running", "radius", "saslauthd"),
    )
)
LOOKUPS = frozenset(
    (
        *("cdb", "dbm", "dbmjz", "dbmnz", "dnsdb", "dsearch", "iplsearch", "json", "ldap", "ldapdn", "ldapm", "lmdb"),
        *("lsearch", "mysql", "nis", "nis0", "nmh", "nwildlsearch", "passwd", "pgsql", "psl", "readsock", "redis"),
        *("regdom", "spf", "sqlite", "wildlsearch"),
    )
)


@pytest.mark.parametrize(
    ("registry", "table", "wanted"),
    [
        (item.items, item._MODULES, ITEMS),
        (operator.operators, operator._MODULES, OPERATORS),
        (condition.conditions, condition._MODULES, CONDITIONS),
    ],
)
def test_tables_are_complete_and_right(registry: Any, table: dict[str, str], wanted: frozenset[str]) -> None:
    assert set(registry.load_all()) == set(table)
    assert wanted <= set(table)


@pytest.mark.parametrize("name", sorted(LOOKUPS))
def test_every_lookup_type_is_there(name: str) -> None:
    found = base.find_lookup(name)
    assert found is not None
    assert found.name == name
    assert set(base.known_lookups()) == LOOKUPS


@pytest.mark.parametrize("name", [*item._MODULES, *condition._MODULES])
def test_each_says_what_it_does(name: str) -> None:
    found = item.find_item(name) or condition.conditions.find(name)
    if found is not None:
        assert found.doc
