"""What the checks find in a configuration, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.cli.checks.everything import Findings, check
from eximious.cli.checks.flow import TAINTED
from eximious.cli.checks.ineffective import EXCLUDED, NEEDS
from eximious.cli.checks.taint import REFUSING
from eximious.config.drivers import CLASSES
from eximious.config.main import MainOptions
from eximious.errors import ConfigError
from eximious.expand.variable import find_variable


def found_in(text: str, folder: Path) -> Findings:
    path = folder / "exim.conf"
    path.write_text(text, encoding="latin-1")
    return check(str(path), {}, with_files=False)


def shown(errors: list[ConfigError]) -> list[tuple[int, str, str]]:
    """Line (0 if there is none), message and hint of each."""
    return [(error.place.line if error.place else 0, error.message, error.hint) for error in errors]


ROUTER = "begin routers\nr:\n  driver = redirect\n  {}\n"
# fmt: off
TRANSPORT = (
    "begin routers\nr:\n  driver = accept\n  transport = t\n{router}"
    "begin transports\nt:\n  driver = {driver}\n  {line}\n"
)
# fmt: on
ACL = "acl_smtp_rcpt = a\nbegin acl\na:\n  {}\n  accept\n"
LOOK_UP = "look it up in data of your own first, as in ${lookup{%s}lsearch,ret=key{/etc/exim4/known}}"
OF_COMMANDS = "give it to the command in its environment or on its standard input, or look it up first"

TAINT = [
    # Variables that strangers write, and how each is cured where.
    (
        ROUTER.format("file = /a/$domain"),
        [
            "the name of the file with redirection data",
            "$domain",
            "write $domain_data, which is set in a router that says domains = some list or lookup",
        ],
    ),
    (
        ROUTER.format("domains = b\n  file = /a/${domain}"),
        ["the name of the file with redirection data", "$domain", "write $domain_data"],
    ),
    (
        ROUTER.format("check_local_user\n  data = ${lookup{a}lsearch{/a/$local_part}}"),
        ["the name of the file for the lsearch lookup", "$local_part", "write $local_part_data"],
    ),
    (
        TRANSPORT.format(router="", driver="appendfile", line="file = /var/mail/$local_part"),
        [
            "the name of the file to deliver to",
            "$local_part",
            "write $local_part_data, which is set if the router says local_parts = some list or lookup, "
            "or check_local_user",
        ],
    ),
    (
        ACL.format("warn condition = ${readfile{/a/$local_part}}"),
        [
            "the name of the file for ${readfile",
            "$local_part",
            "write $local_part_data, after a condition local_parts = some list or lookup",
        ],
    ),
    (
        ACL.format("warn condition = ${readfile{/a/$h_X-File:}}"),
        ["the name of the file for ${readfile", "$h_x-file:", LOOK_UP % "$h_x-file:"],
    ),
    # Queries.
    (
        ACL.format("warn condition = ${lookup mysql{SELECT '$local_part'}}"),
        ["the query of the mysql lookup", "$local_part", "write ${quote_mysql:$local_part}"],
    ),
    (
        ACL.format("warn condition = ${lookup pgsql{SELECT '${quote_mysql:$local_part}'}}"),
        ["the query of the pgsql lookup", "$local_part", "write ${quote_pgsql:$local_part}"],
    ),
    (
        ACL.format("warn condition = ${lookup ldapm{ldap:///x?y?z?(a=$sender_address)}}"),
        ["the query of the ldapm lookup", "$sender_address", "write ${quote_ldap:$sender_address}"],
    ),
    # Commands.
    (
        TRANSPORT.format(router="", driver="pipe", line="command = /bin/x $sender_address $pipe_addresses"),
        ["the command to deliver to", "$sender_address", OF_COMMANDS],
    ),
    (
        ACL.format("warn condition = ${run{/bin/$sender_helo_name x}}"),
        ["the name of the command for ${run", "$sender_helo_name", OF_COMMANDS],
    ),
    (
        ACL.format("warn condition = ${run,preexpand{/bin/x $sender_helo_name}}"),
        ["the command for ${run,preexpand", "$sender_helo_name", OF_COMMANDS],
    ),
    # ACLs in the place of their names.
    (
        "acl_smtp_helo = accept logwrite = $sender_helo_name\n",
        [
            "the text of an ACL",
            "$sender_helo_name",
            "put the statements into an ACL of their own, which may use what it likes, and write its name",
        ],
    ),
    # What is evaluated.
    (
        ACL.format("warn condition = ${expand:$h_x:}"),
        ["a string that is expanded", "$h_x:", "what strangers write is never evaluated: " + LOOK_UP % "$h_x:"],
    ),
    (
        ACL.format("warn condition = ${eval:$h_x:+1}"),
        ["an arithmetic expression", "$h_x:", "what strangers write is never evaluated: " + LOOK_UP % "$h_x:"],
    ),
    # Through operators, captures, $value, $item, and variables that the configuration sets.
    (
        ACL.format("warn condition = ${readfile{/a/${lc:${sg{$sender_ident}{a}{b}}}}}"),
        ["the name of the file for ${readfile", "$sender_ident", LOOK_UP % "$sender_ident"],
    ),
    (
        ACL.format("warn condition = ${if match{$sender_ident}{(.*)}{${readfile{/a/$1}}}}"),
        ["the name of the file for ${readfile", "$1, from $sender_ident", LOOK_UP % "$1"],
    ),
    (
        ACL.format("warn condition = ${extract{1}{:}{$sender_ident}{${readfile{/a/$value}}}}"),
        ["the name of the file for ${readfile", "$value, from $sender_ident", LOOK_UP % "$value"],
    ),
    (
        ACL.format("warn condition = ${map{$recipients_list}{${readfile{/a/$item}}}}"),
        ["the name of the file for ${readfile", "$item, from $recipients_list", LOOK_UP % "$item"],
    ),
    (
        ACL.format("warn set acl_m_a = $sender_ident\n       condition = ${readfile{/a/$acl_m_a}}"),
        ["the name of the file for ${readfile", "$acl_m_a", LOOK_UP % "$acl_m_a"],
    ),
    (
        TRANSPORT.format(router="  set = r_x = $sender_ident\n", driver="appendfile", line="file = /a/$r_x"),
        ["the name of the file to deliver to", "$r_x", LOOK_UP % "$r_x"],
    ),
    (
        TRANSPORT.format(
            router="  address_data = $sender_ident\n", driver="appendfile", line="directory = /a/$address_data"
        ),
        ["the name of the directory to deliver to", "$address_data", LOOK_UP % "$address_data"],
    ),
    # Lists: a file beside something tainted.
    (
        ROUTER.format("domains = lsearch;/a : $sender_helo_name\n  data = x"),
        [
            "a list with the name of a file",
            "$sender_helo_name",
            "make two lists of it: one with the file, one with what is expanded",
        ],
    ),
    (
        "domainlist d = a : mysql;SELECT '$domain'\nhold_domains = +d\n",
        ["the query of the mysql lookup", "$domain", "write ${quote_mysql:$domain}"],
    ),
    # Main options.
    (
        "bounce_message_file = /a/$sender_address",
        ["the name of the file with the text of bounces", "$sender_address", LOOK_UP % "$sender_address"],
    ),
]


@pytest.mark.parametrize(("text", "expected"), TAINT)
def test_taint(text: str, expected: list[str], tmp_path: Path) -> None:
    what, cause, cure = expected
    findings = found_in(text, tmp_path)
    assert [(warning.message, warning.hint) for warning in findings.warnings] == [
        (f"tainted data ({cause}) in {what}", cure)
    ]


CLEAN = [
    ROUTER.format("domains = b\n  file = /a/$domain_data"),
    "acl_smtp_helo = ${if eq{$sender_helo_name}{a}{accept}{deny}}\n",
    "acl_smtp_helo = accept logwrite = $primary_hostname\n",
    "tls_certificate = /a/$tls_in_sni.pem\n",  # a certificate harms nobody
    ROUTER.format("data = $local_part@b"),
    ROUTER.format("data = ${lookup{$local_part}lsearch{/a}{$value}}"),
    ROUTER.format("file = /a/${lookup{$local_part}lsearch{/a}}"),
    ROUTER.format("data = ${if match_domain{$domain}{b}{${readfile{/a/$value}}}}"),
    ROUTER.format("local_parts = $sender_ident : a : b\n  data = x"),
    TRANSPORT.format(router="", driver="appendfile", line="create_file = belowhome\n  file = $home/$local_part"),
    TRANSPORT.format(router="", driver="pipe", line="command = /bin/x ${lookup{$domain}lsearch{/a}} $pipe_addresses"),
    ACL.format("warn condition = ${lookup mysql{SELECT '${quote_mysql:${lc:$local_part}}'}}"),
    ACL.format("warn condition = ${lookup ldapm{ldap:///${quote_ldap_dn:$h_x:}?y}}"),
    ACL.format("warn condition = ${lookup dnsdb{txt=$sender_address_domain}}"),
    ACL.format("warn condition = ${readfile{/a/${strlen:$h_x:}}}"),
    ACL.format("warn condition = ${run{/bin/x $sender_helo_name}}"),
    "domainlist d = a : mysql;SELECT '${quote_mysql:$domain}'\nhold_domains = +d\n",
    # Tainted in one place, harmless in another: only a message can tell.
    ACL.format(
        "warn set acl_m_a = $h_x:\n  warn set acl_m_a = b\n       condition = ${readfile{/a/$acl_m_a}}",
    ),
]


@pytest.mark.parametrize("text", CLEAN)
def test_no_taint(text: str, tmp_path: Path) -> None:
    assert shown(found_in(text, tmp_path).warnings) == []


NAMES = [
    (ACL.format("deny hosts = +locl") + "\n", [(4, 'there is no host list "+locl"', "")]),
    ("domainlist local = b\n" + ACL.format("deny domains = +locl"),
     [(5, 'there is no domain list "+locl"', "did you mean local?")]),
    (ACL.format("deny acl = aa"), [(4, 'there is no ACL "aa"', "did you mean a?")]),
    (ACL.format("deny acl = b 1 2") + "b:\n  accept\n", []),
    (ACL.format("deny condition = ${acl{b}{1}}"), [(4, 'there is no ACL "b"', "")]),
    (ACL.format("deny condition = ${if acl{{b}}}"), [(4, 'there is no ACL "b"', "")]),
    (ACL.format("deny set acl_m_one = 1\n  condition = $acl_m_oen"),
     [(5, "nothing sets the variable $acl_m_oen", "did you mean acl_m_one?")]),
    (ROUTER.format("data = $r_a"), [(4, "nothing sets the variable $r_a", "")]),
    (ROUTER.format("set = r_a = b\n  data = $r_a"), []),
    ("smtp_banner = ${python{a.b}}", [(1, "${python needs a setting of python_path or python_startup", "")]),
    ("python_path = /none\nsmtp_banner = ${python{a.b}}", [(2, 'there is no module "a" in python_path', "")]),
    ("smtp_banner = ${perl{a}}",
     [(1, "there is no Perl in this program", "write the function in Python: ${python{...}}")]),
    ("python_startup = a\nsmtp_banner = ${python{a.b}}", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), NAMES)
def test_names(text: str, expected: list[tuple[int, str, str]], tmp_path: Path) -> None:
    assert shown(found_in(text, tmp_path).warnings) == expected


NOTES = [
    ("domainlist a = b\n", [(1, "nothing refers to the domainlist a", "")]),
    ("hostlist a = b\nhost_lookup = +a\n", []),
    ("domainlist a = b\nsmtp_banner = ${listnamed_d:a}\n", []),
    ("acl_smtp_rcpt = deny\nbegin acl\na:\n  accept\n", [(3, 'nothing refers to the ACL "a"', "")]),
    ("begin transports\na:\n  driver = pipe\n", [(2, 'nothing refers to the transport "a"', "")]),
    (
        "begin routers\na:\n  driver = accept\n  transport = t\nb:\n  driver = accept\n  transport = t\n"
        "begin transports\nt:\n  driver = pipe\n",
        [(5, 'the router "b" is never reached', 'router "a" accepts every address')],
    ),
    (
        "begin routers\na:\n  driver = accept\n  unseen\n  transport = t\nb:\n  driver = accept\n  transport = t\n"
        "begin transports\nt:\n  driver = pipe\n",
        [],
    ),
    ("smtp_banner = $tls_cipher", [(1, "$tls_cipher is an old name", "now called $tls_in_cipher")]),
    ("tls_privatekey = /a", [(1, 'the option "tls_privatekey" has no effect here', "it needs tls_certificate")]),
    ("drop_cr", [(1, 'option "drop_cr" has no effect', "line ends are always put right")]),
    ("tls_privatekey = /a\ntls_certificate = /b", []),
    ("queue_only_load_latch = true", []),
    (
        ROUTER.format("data = x\n  forbid_pipe\n  pipe_transport = t") + "begin transports\nt:\n  driver = pipe\n",
        [(6, 'the option "pipe_transport" has no effect here', "forbid_pipe is set")],
    ),
    (
        TRANSPORT.format(router="", driver="appendfile", line="file = /a\n  maildir_tag = b"),
        [(9, 'the option "maildir_tag" has no effect here', "it needs maildir_format")],
    ),
]


@pytest.mark.parametrize(("text", "expected"), NOTES)
def test_notes(text: str, expected: list[tuple[int, str, str]], tmp_path: Path) -> None:
    assert shown(found_in(text, tmp_path).notes) == expected


def test_everything_is_told_once_and_in_order(tmp_path: Path) -> None:
    findings = found_in("smtp_banner = $h_a: ${run{$h_b:}} ${run{$h_c:}} ${run{$h_b:}}\nhost_lookup = +a\n", tmp_path)
    assert [(line, message) for line, message, _ in shown(findings.warnings)] == [
        (1, "tainted data ($h_b:) in the name of the command for ${run"),
        (1, "tainted data ($h_c:) in the name of the command for ${run"),
        (1, "tainted data ($h_b:) in the name of the command for ${run"),
        (2, 'there is no host list "+a"'),
    ]


def test_errors(tmp_path: Path) -> None:
    findings = found_in(
        "queue_onli\n" + TRANSPORT.format(router="", driver="smtp", line="user = no-such-user"), tmp_path
    )
    assert [message for _, message, _ in shown(findings.errors)] == [
        'main option "queue_onli" unknown',
        "user no-such-user was not found",
    ]


def test_the_tables_name_what_exists() -> None:
    names = {"main": set(MainOptions.options) | {"authenticators"}, "": set(MainOptions.options)}
    for kind, drivers in CLASSES.items():
        names[kind] = set(drivers.base.options)
        for name, driver in drivers.registry.load_all().items():
            names.setdefault(name, set()).update(driver.options)
    for driver, dependent, needed in NEEDS:
        assert {*dependent, *needed} <= names[driver], (driver, dependent, needed)
    for driver, option, excluding in EXCLUDED:
        assert {option, excluding} <= names[driver]
    for driver, option in REFUSING:
        assert option in names[driver], (driver, option)
    for name in TAINTED:
        assert find_variable(name) is not None, name
