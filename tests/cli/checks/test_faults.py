"""One fault at a time in a good configuration: what is said, how bad it is, where, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.cli.checks.everything import Findings, check
from eximious.cli.checks.finding import Finding

GOOD = r"""primary_hostname = mail.example.org
LDIR = /etc/exim4
domainlist local_domains = @ : example.org
domainlist relay_to_domains = example.net
hostlist relay_from_hosts = 127.0.0.1 : 192.0.2.0/24
addresslist blocked = *@bad.example
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
tls_advertise_hosts = *
tls_certificate = /etc/exim4/cert.pem
tls_privatekey = /etc/exim4/key.pem
never_users = root
host_lookup = *
log_selector = +smtp_protocol_error
mysql_servers = localhost/mail/mail/secret

begin acl

acl_check_rcpt:
  accept  hosts = :
  deny    message = Restricted characters in address
          domains = +local_domains
          local_parts = ^[.] : ^.*[@%!/|]
  deny    senders = +blocked
  accept  authenticated = *
          control = submission
  accept  hosts = +relay_from_hosts
  require message = relay not permitted
          domains = +local_domains : +relay_to_domains
  require verify = recipient
  warn    set acl_m_score = ${lookup mysql{SELECT score FROM users WHERE name='${quote_mysql:$local_part}'}{$value}{0}}
  deny    condition = ${if >{$acl_m_score}{100}}
          message = score
  accept

acl_check_data:
  deny    condition = ${if > {$max_received_linelength}{998}}
  accept

begin routers

dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  ignore_target_hosts = 0.0.0.0 : 127.0.0.0/8
  no_more

system_aliases:
  driver = redirect
  domains = +local_domains
  allow_fail
  allow_defer
  data = ${lookup{$local_part}lsearch{LDIR/aliases}}
  file_transport = address_file
  pipe_transport = address_pipe

procmail:
  driver = accept
  check_local_user
  require_files = ${local_part}:+${home}/.procmailrc
  transport = procmail_pipe

local_user:
  driver = accept
  check_local_user
  transport = local_delivery
  cannot_route_message = Unknown user

begin transports

remote_smtp:
  driver = smtp
  hosts_try_auth = *

local_delivery:
  driver = appendfile
  file = /var/mail/$local_part_data
  group = mail
  mode = 0660
  delivery_date_add
  envelope_to_add
  return_path_add

procmail_pipe:
  driver = pipe
  command = /usr/bin/procmail -d $local_part_data
  user = $local_part_data

address_pipe:
  driver = pipe
  return_output

address_file:
  driver = appendfile
  delivery_date_add

begin retry

*   *   F,2h,15m; G,16h,1h,1.5; F,4d,6h

begin rewrite

*@old.example.org  $1@example.org  Tfr

begin authenticators

PLAIN:
  driver = plaintext
  server_prompts = :
  server_condition = ${if eq{$auth2}{a}}
  server_set_id = $auth2
"""

# What the fault is, what is replaced by what, how bad it is, what is said (a part), what the caret is under (its
# beginning; "" where there is no such place), and the hint (its beginning).
FAULTS: list[tuple[str, str, str, str, str, str, str]] = [
    (
        "main option",
        "host_lookup =",
        "host_lokup =",
        "error",
        'main option "host_lokup" unknown',
        "host_lokup",
        "did you mean host_lookup?",
    ),
    ("negated option", "no_more", "no_mor", "error", 'option "no_mor" unknown', "no_mor", "did you mean no_more?"),
    (
        "router driver",
        "driver = dnslookup",
        "driver = dnslokup",
        "error",
        'cannot find router driver "dnslokup"',
        "dnslokup",
        "did you mean dnslookup?",
    ),
    (
        "transport driver",
        "driver = smtp",
        "driver = stmp",
        "error",
        'cannot find transport driver "stmp"',
        "stmp",
        "did you mean smtp?",
    ),
    (
        "variable",
        "$max_received_linelength",
        "$max_recieved_linelength",
        "warning",
        'unknown variable name "max_recieved_linelength"',
        "$max_rec",
        "did you mean max_received_linelength?",
    ),
    (
        "operator",
        "}{$value}{0}}",
        "}{${lcc:$value}}{0}}",
        "warning",
        'unknown expansion operator "lcc"',
        "${lcc",
        "did you mean lc?",
    ),
    (
        "item",
        "${lookup mysql",
        "${lokup mysql",
        "warning",
        '"${lokup" is not a known operator',
        "${lokup",
        "did you mean lookup?",
    ),
    (
        "lookup type",
        "lsearch{LDIR",
        "lserch{LDIR",
        "warning",
        'unknown lookup type "lserch"',
        "lserch",
        "did you mean lsearch?",
    ),
    (
        "condition",
        "${if eq{$auth2}",
        "${if eqq{$auth2}",
        "warning",
        'unknown condition "eqq"',
        "eqq",
        "did you mean eq?",
    ),
    (
        "verb",
        "  deny    senders",
        "  dney    senders",
        "error",
        'unknown ACL condition/modifier in "dney',
        "dney",
        "did you mean deny?",
    ),
    (
        "ACL condition",
        "deny    senders =",
        "deny    sendrs =",
        "error",
        "unknown ACL condition/modifier in",
        "sendrs",
        "did you mean senders?",
    ),
    (
        "modifier",
        "message = score",
        "mesage = score",
        "error",
        "unknown ACL condition/modifier in",
        "mesage",
        "did you mean message?",
    ),
    (
        "control",
        "control = submission",
        "control = submision",
        "warning",
        'syntax error in "control=submision"',
        "submision",
        "did you mean submission?",
    ),
    (
        "verify",
        "verify = recipient",
        "verify = recipeint",
        "warning",
        'at start of ACL condition "verify recipeint"',
        "recipeint",
        "did you mean recipient?",
    ),
    (
        "domain list",
        "domains = ! +local_domains",
        "domains = ! +local_domain",
        "warning",
        'there is no domain list "+local_domain"',
        "+local_domain",
        "did you mean local_domains?",
    ),
    (
        "host list",
        "hosts = +relay_from_hosts",
        "hosts = +relay_form_hosts",
        "warning",
        'there is no host list "+relay_form_hosts"',
        "+relay_form",
        "did you mean relay_from_hosts?",
    ),
    (
        "transport",
        "transport = remote_smtp",
        "transport = remote_smpt",
        "warning",
        'there is no transport "remote_smpt"',
        "remote_smpt",
        "did you mean remote_smtp?",
    ),
    ("macro", "{LDIR/aliases}", "{LDRI/aliases}", "note", "there is no macro LDRI", "LDRI", "did you mean LDIR?"),
    (
        "ACL",
        "acl_smtp_data = acl_check_data",
        "acl_smtp_data = acl_check_dat",
        "warning",
        'there is no ACL "acl_check_dat"',
        "acl_check_dat",
        "did you mean acl_check_data?",
    ),
    (
        "kind of list",
        "addresslist blocked",
        "adresslist blocked",
        "error",
        'main option "adresslist" unknown',
        "adresslist",
        "did you mean addresslist?",
    ),
    (
        "section",
        "begin retry",
        "begin retries",
        "error",
        '"retries" is not a known configuration section name',
        "retries",
        "did you mean retry?",
    ),
    (
        "option of a transport",
        "no_more",
        "maildir_format",
        "error",
        'option "maildir_format" unknown',
        "maildir_format",
        "it is an option of the appendfile transport",
    ),
    (
        "main option in a router",
        "no_more",
        "primary_hostname = a",
        "error",
        'option "primary_hostname" unknown',
        "primary_hostname",
        "it is a main option, which stands before the first begin",
    ),
    (
        "option of routers",
        "hosts_try_auth = *",
        "check_local_user",
        "error",
        'option "check_local_user" unknown',
        "check_local_user",
        "it is an option of routers",
    ),
    ("retry letter", "G,16h,1h", "X,16h,1h", "error", "unknown retry rule letter", "X,16h", "F, G or H, then a comma"),
    (
        "retry error",
        "*   *   F,2h",
        "*   timout   F,2h",
        "error",
        'unknown or malformed retry error "timout"',
        "timout",
        "did you mean timeout?",
    ),
    (
        "retry rule",
        "begin rewrite",
        "*.example.com  *  F,1h,10m\n\nbegin rewrite",
        "note",
        "this retry rule is never reached",
        "*.example.com",
        "the rule * * fits all",
    ),
    ("rewriting rule", "$1@example.org", "${lc:$1@example.org", "warning", "missing } at end of string", "  Tfr", ""),
    (
        "unused list",
        "addresslist blocked",
        "domainlist nobody = x.y\naddresslist blocked",
        "note",
        "nothing refers to the domainlist nobody",
        "nobody",
        "",
    ),
    (
        "idle authenticator",
        "begin authenticators",
        "begin authenticators\nX:\n  driver = plaintext\n",
        "note",
        'the authenticator "X" does nothing',
        "X:",
        "it needs server_condition for servers, client_send for clients",
    ),
    (
        "router out of reach",
        "  check_local_user\n  require_files = ${local_part}:+${home}/.procmailrc\n",
        "",
        "note",
        'the router "local_user" is never reached',
        "local_user:",
        'router "procmail" accepts every address',
    ),
    (
        "data of no lookup",
        "  check_local_user\n  transport = local",
        "  transport = local",
        "warning",
        "$local_part_data is always empty here",
        "$local_part_data",
        "it is set if a router that comes here says local_parts or check_local_user",
    ),
    (
        "open relay, perhaps",
        "  require message = relay not permitted\n          domains = +local_domains : +relay_to_domains\n",
        "",
        "note",
        "if the condition in line 30 does not prevent it, this is an open relay",
        "accept",
        "say before it: require domains = +local_domains : +relay_to_domains",
    ),
    (
        "open relay, any host",
        "hosts = +relay_from_hosts",
        "hosts = *",
        "warning",
        'open relay: the ACL "acl_check_rcpt" accepts mail from any host to any domain here',
        "accept  hosts = *",
        "say before it: require domains = +local_domains : +relay_to_domains",
    ),
    (
        "open relay, any address",
        "127.0.0.1 : 192.0.2.0/24",
        "127.0.0.1 : 0.0.0.0/0",
        "warning",
        "open relay",
        "accept  hosts = +relay",
        "",
    ),
    (
        "open relay, no ACL",
        "acl_smtp_rcpt = acl_check_rcpt",
        "acl_smtp_rcpt = accept",
        "warning",
        "open relay: every recipient is accepted",
        "accept",
        "",
    ),
    (
        "no RCPT ACL",
        "acl_smtp_rcpt = acl_check_rcpt\n",
        "",
        "note",
        "acl_smtp_rcpt is not set: every recipient is refused over SMTP",
        "",
        "",
    ),
    (
        "number and text",
        "${if > {$max_received_linelength}{998}}",
        "${if > {$sender_helo_name}{998}}",
        "warning",
        "$sender_helo_name is compared as a number",
        "$sender_helo_name",
        "eq, lt, gt and the like compare texts",
    ),
    (
        "number and word",
        "{998}}",
        "{many}}",
        "warning",
        'numbers are compared: integer expected but "many" found',
        "many",
        "eq, lt, gt and the like compare texts",
    ),
    (
        "brace missing",
        "${if eq{$auth2}{a}}",
        "${if eq{$auth2}{a}",
        "warning",
        "curly-bracket problem",
        "",
        "a closing brace is missing",
    ),
    (
        "brace missing inside",
        "${if eq{$auth2}{a}}",
        "${if eq{$auth2{a}}",
        "warning",
        'missing 2nd string in {} after "eq"',
        "",
        "",
    ),
    (
        "brace too many",
        "lsearch{LDIR/aliases}}",
        "lsearch{LDIR/aliases}}}",
        "warning",
        "this } closes nothing, and is part of the text",
        "}",
        "remove it, or write \\}",
    ),
    (
        "pattern in a list",
        "^.*[@%!/|]",
        "^.*[@%!/|",
        "warning",
        "missing terminating ] for character class",
        "^.*[@%",
        "",
    ),
    ("pattern", "${if eq{$auth2}{a}}", "${if match{$auth2}{(a}}", "warning", "missing closing parenthesis", "(a}", ""),
    (
        "protected pattern",
        "${if eq{$auth2}{a}}",
        "${if match{$auth2}{\\N(a\\N}}",
        "warning",
        "missing closing parenthesis",
        "\\N(a",
        "",
    ),
    (
        "pattern of sg",
        "${if eq{$auth2}{a}}",
        "${if eq{${sg{$auth2}{[a}{}}}{a}}",
        "warning",
        "missing terminating ]",
        "[a}",
        "",
    ),
    (
        "dollar in a pattern",
        "${if eq{$auth2}{a}}",
        "${if match{$auth2}{^a$}}",
        "warning",
        "$ not followed by letter, digit, or {",
        "$}",
        "a dollar sign itself is written \\$",
    ),
    (
        "backslash in a pattern",
        "${if eq{$auth2}{a}}",
        "${if match{$auth2}{^\\d+}}",
        "warning",
        "\\d in a regular expression loses its backslash when the string is expanded",
        "\\d+",
        "write \\\\d, or put the pattern between \\N and \\N",
    ),
    (
        "address",
        "192.0.2.0/24",
        "192.0.2.300",
        "warning",
        '"192.0.2.300" is neither an IP address nor a network',
        "192.0.2.300",
        "",
    ),
    (
        "mask",
        "192.0.2.0/24",
        "192.0.2.0/240",
        "warning",
        'the mask in "192.0.2.0/240" is longer than the address',
        "192.0.2.0/240",
        "",
    ),
    (
        "IPv6",
        "192.0.2.0/24",
        "::1",
        "warning",
        '":1" is neither an IP address nor a network',
        ":1",
        'double the colons of the address, or begin the list with "<;" and separate with ";"',
    ),
    (
        "separator",
        "@ : example.org",
        "@ , example.org",
        "warning",
        '"@ , example.org" is one item, and can never match',
        "@ ,",
        'items are separated by ":"',
    ),
    (
        "list of itself",
        "@ : example.org",
        "@ : +local_domains",
        "warning",
        "the domainlist local_domains refers to itself",
        "local_domains =",
        "",
    ),
    (
        "option without effect",
        "hosts_try_auth = *",
        "hosts_override",
        "note",
        'the option "hosts_override" has no effect here',
        "hosts_override",
        "it needs hosts",
    ),
    (
        "no file",
        "  file = /var/mail/$local_part_data\n",
        "",
        "warning",
        'the transport "local_delivery" cannot deliver for this router: it has no file or directory',
        "local_delivery",
        "only what redirect routers generate brings its own",
    ),
    (
        "no command",
        "  command = /usr/bin/procmail -d $local_part_data\n",
        "",
        "warning",
        'the transport "procmail_pipe" cannot deliver',
        "procmail_pipe",
        "",
    ),
    (
        "no hosts",
        "transport = local_delivery",
        "transport = remote_smtp",
        "warning",
        'the transport "remote_smtp" has no hosts to deliver to',
        "remote_smtp",
        "accept routers do not find any",
    ),
    (
        "ACL at another moment",
        "    condition = ${if > {$max",
        "    recipients = x@y\n    condition = ${if > {$max",
        "warning",
        "recipients is not possible in the ACL for DATA",
        "x@y",
        "the condition can stand in acl_smtp_rcpt",
    ),
    (
        "ACL that calls itself",
        "deny    senders = +blocked",
        "deny    acl = acl_check_rcpt\n          senders = +blocked",
        "warning",
        'the ACL "acl_check_rcpt" calls itself',
        "acl_check_rcpt:",
        "",
    ),
    (
        "statement out of reach",
        "  accept\n\nacl_check_data",
        "  accept\n  deny    message = x\n\nacl_check_data",
        "note",
        "this statement is never reached",
        "deny    message",
        "the accept in line 34 has no condition",
    ),
    (
        "Perl",
        "message = score",
        "message = ${perl{foo}}",
        "warning",
        "there is no Perl in this program",
        "${perl",
        "write the function in Python: ${python{...}}",
    ),
    (
        "C functions",
        "message = score",
        "message = ${dlfunc{/a}{b}}",
        "warning",
        "C functions are not loaded",
        "${dlfunc",
        "call a command with ${run",
    ),
    (
        "NIS",
        "lsearch{LDIR",
        "nis{LDIR",
        "warning",
        "the lookup type nis is not supported",
        "${lookup",
        "use ldap or a file",
    ),
    (
        "file in a transport",
        "/var/mail/$local_part_data",
        "/var/mail/$local_part",
        "warning",
        "tainted data ($local_part) in the name of the file to deliver to",
        "$local_part",
        "write $local_part_data",
    ),
    (
        "file in a router",
        "lsearch{LDIR/aliases}",
        "lsearch{LDIR/$domain}",
        "warning",
        "tainted data ($domain) in the name of the file for the lsearch lookup",
        "$domain}",
        "write $domain_data",
    ),
    (
        "command",
        "-d $local_part_data",
        "-d $local_part",
        "warning",
        "tainted data ($local_part) in the command to deliver to",
        "$local_part",
        "write $local_part_data",
    ),
    (
        "query",
        "${quote_mysql:$local_part}",
        "$local_part",
        "warning",
        "tainted data ($local_part) in the query of the mysql lookup",
        "$local_part'",
        "write ${quote_mysql:$local_part}",
    ),
    (
        "query, half quoted",
        "name='${quote_mysql:$local_part}'",
        "name='${quote_mysql:$local_part}' OR alias='$local_part'",
        "warning",
        "tainted data ($local_part) in the query of the mysql lookup",
        "$local_part'}",
        "write ${quote_mysql:$local_part}",
    ),
    (
        "file in a list",
        "^[.] : ^.*[@%!/|]",
        "/etc/exim4/$domain",
        "warning",
        "tainted data ($domain) in the name of a file in a list",
        "$domain",
        "write $domain_data, after a condition domains = some list or lookup",
    ),
    (
        "operator without a colon",
        "${if eq{$auth2}{a}}",
        "${md5{abc}}",
        "warning",
        '"${md5" is not a known operator',
        "${md5",
        "an operator has a colon: ${md5:...}",
    ),
    (
        "name of a list",
        "hosts = +relay_from_hosts",
        "hosts = relay_from_hosts",
        "warning",
        '"relay_from_hosts" is the name of a list, but without a plus sign it stands for itself',
        "relay_from_hosts",
        "write +relay_from_hosts",
    ),
    (
        "list in a condition",
        "${if eq{$auth2}{a}}",
        "${if match_domain{$auth2}{+local_domain}}",
        "warning",
        'there is no domain list "+local_domain"',
        "+local_domain}",
        "did you mean local_domains?",
    ),
    (
        "network in a condition",
        "${if eq{$auth2}{a}}",
        "${if match_ip{$sender_host_address}{192.0.2.0/240}}",
        "warning",
        'the mask in "192.0.2.0/240" is longer than the address',
        "192.0.2.0/240",
        "",
    ),
    (
        "named list in inlist",
        "${if eq{$auth2}{a}}",
        "${if inlist{$auth2}{+local_domains}}",
        "warning",
        "inlist knows no named lists: +local_domains is a text here",
        "+local_domains",
        "match_domain, match_ip and match_address know them",
    ),
    (
        "list by name",
        "${if eq{$auth2}{a}}",
        "${listnamed:local_domain}",
        "warning",
        'there is no list "local_domain"',
        "local_domain",
        "did you mean local_domains?",
    ),
    (
        "option of a lookup",
        "lsearch{LDIR",
        "lsearch,rt=key{LDIR",
        "warning",
        'the lookup type lsearch has no option "rt"',
        "rt=key",
        "did you mean ret?",
    ),
    (
        "semicolons",
        "127.0.0.1 : 192.0.2.0/24",
        "127.0.0.1 ; 192.0.2.0/24",
        "warning",
        'unknown lookup type "127.0.0.1"',
        "127.0.0.1 ;",
        'to separate items with ";", begin the list with "<;"',
    ),
    (
        "comment after a list",
        "host_lookup = *",
        "host_lookup = * # all",
        "warning",
        '"* # all" is one item, and can never match',
        "* # all",
        "a # begins a comment only at the start of a line",
    ),
    (
        "size",
        "never_users = root",
        "message_size_limit = 50X",
        "warning",
        'message_size_limit is a number: invalid integer "50X"',
        "50X",
        "",
    ),
    (
        "rate limit",
        "deny    senders = +blocked",
        "deny    ratelimit = 100 / 1x\n          senders = +blocked",
        "warning",
        '"1x" is not a time value',
        "100 / 1x",
        "",
    ),
    (
        "verify at another moment",
        "verify = recipient",
        "verify = header_syntax",
        "warning",
        "verify = header_syntax is not possible in the ACL for RCPT",
        "header_syntax",
        "the condition can stand in acl_smtp_data, acl_not_smtp",
    ),
    (
        "DKIM without a key",
        "hosts_try_auth = *",
        "dkim_domain = a.b\n  dkim_selector = c",
        "note",
        'the option "dkim_domain" has no effect here',
        "a.b",
        "it needs dkim_private_key",
    ),
    (
        "no client authenticator",
        "hosts_try_auth = *",
        "hosts_require_auth = *",
        "warning",
        'the transport "remote_smtp" must authenticate itself',
        "*",
        "an authenticator is for clients if it sets client_send",
    ),
    (
        "authenticators for nobody",
        "never_users = root",
        "auth_advertise_hosts =",
        "note",
        "the authenticators are offered to nobody",
        "",
        "auth_advertise_hosts says to whom",
    ),
    (
        "retry steps",
        "F,2h,15m;",
        "F,2d,15m;",
        "note",
        "a step of this retry rule is never used",
        "*   *",
        "the times at which the steps of a rule end must rise",
    ),
    (
        "pattern of a rewriting rule",
        "*@old.example.org",
        "^(a@old.example.org",
        "warning",
        "missing closing parenthesis",
        "^(a@old",
        "",
    ),
]


def found_in(text: str, folder: Path) -> Findings:
    path = folder / "exim.conf"
    path.write_text(text)
    return check(str(path), {}, with_files=False)


def test_good(tmp_path: Path) -> None:
    findings = found_in(GOOD, tmp_path)
    assert [*map(str, (*findings.errors, *findings.warnings, *findings.notes))] == []


QUIET = [
    ("  mode = 0660", "  mode = 0660\n  quota = 10M/no_check"),
    ("addresslist blocked", "localpartlist root = root\naddresslist blocked"),
    ("hosts_try_auth = *", "hosts_try_fastopen = :"),
    ("${if eq{$auth2}{a}}", "${if match{$auth2}{^\\\\d+\\$}}"),
    ("${if eq{$auth2}{a}}", "${if match{$auth2}{\\N^\\d+$\\N}}"),
    ("${if eq{$auth2}{a}}", "${if eq{$auth2}{\\{a\\}}}"),
    ("127.0.0.1 : 192.0.2.0/24", "<; 127.0.0.1 ; ::1 ; 2001:db8::/32 ; mail.example.org ; *.example"),
    ("127.0.0.1 : 192.0.2.0/24", "!10.0.0.0/8 : 127.0.0.1 : ::::1 : localhost : @[] : +ignore_unknown"),
]


@pytest.mark.parametrize(("old", "new"), QUIET)
def test_what_is_right(old: str, new: str, tmp_path: Path) -> None:
    assert GOOD.count(old) >= 1
    findings = found_in(GOOD.replace(old, new, 1), tmp_path)
    said = [*map(str, (*findings.errors, *findings.warnings, *findings.notes))]
    assert [text for text in said if "nothing refers" not in text] == []


@pytest.mark.parametrize(
    ("old", "new", "severity", "message", "caret", "hint"), [fault[1:] for fault in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_fault(old: str, new: str, severity: str, message: str, caret: str, hint: str, tmp_path: Path) -> None:
    assert GOOD.count(old) >= 1
    findings = found_in(GOOD.replace(old, new, 1), tmp_path)
    by_severity = {"error": findings.errors, "warning": findings.warnings, "note": findings.notes}
    said = [error for error in by_severity[severity] if message in error.message]
    assert len(said) == 1, [*map(str, (*findings.errors, *findings.warnings, *findings.notes))]
    place = said[0].place
    if caret:
        assert place is not None
        assert place.text[place.column - 1 :].startswith(caret)
    assert said[0].hint.startswith(hint)
    if severity == "error":
        assert len(findings.errors) == 1


CURED = [
    fault
    for fault in FAULTS
    if fault[3] == "warning" and fault[6].startswith(("write $", "write +")) and "," not in fault[6]
]


@pytest.mark.parametrize(("old", "new"), [(fault[1], fault[2]) for fault in CURED], ids=[f[0] for f in CURED])
def test_the_rewrite_cures_it(old: str, new: str, tmp_path: Path) -> None:
    text = GOOD.replace(old, new, 1)
    (finding,) = found_in(text, tmp_path).warnings
    assert isinstance(finding, Finding)
    assert finding.place is not None
    lines = text.split("\n")
    line, start = lines[finding.place.line - 1], finding.place.column - 1
    assert line.startswith(finding.old, start)
    lines[finding.place.line - 1] = line[:start] + finding.new + line[start + len(finding.old) :]
    after = found_in("\n".join(lines), tmp_path)
    assert [*map(str, (*after.errors, *after.warnings, *after.notes))] == []


# What is said of tainted data where more than one word must change: the part with the fault, and as the hint says it.
LONGER_CURES = [
    (
        "lsearch{LDIR/aliases}",
        "lsearch{LDIR/${lc:$sender_address}}",
        "lsearch{LDIR/${lookup{$sender_address}lsearch,ret=key{/etc/exim4/known}}}",
    ),
    (
        "lsearch{LDIR/aliases}",
        "lsearch{LDIR/$local_part}",
        "lsearch{LDIR/$local_part_data}}\n  local_parts = lsearch;LDIR/users\n  headers_add = ${lc:X: y",
    ),
    (
        "  check_local_user\n  transport = local_delivery",
        "  transport = with_domain",
        "  domains = +local_domains\n  transport = with_domain",
    ),
    (
        "deny    senders = +blocked",
        "deny    condition = ${readfile{LDIR/$domain}}\n          senders = +blocked",
        "deny    domains = +local_domains\n          condition = ${readfile{LDIR/$domain_data}}\n"
        "          senders = +blocked",
    ),
]
WITH_DOMAIN = "begin transports\n\nwith_domain:\n  driver = appendfile\n  file = /var/mail/{}\n"


@pytest.mark.parametrize(("right", "wrong", "cured"), LONGER_CURES)
def test_longer_cures(right: str, wrong: str, cured: str, tmp_path: Path) -> None:
    base = GOOD.replace("  file = /var/mail/$local_part_data\n", "  file = /var/mail/all\n")
    is_there = "with_domain" in wrong
    for change, variable, count in ((wrong, "$domain", 1), (cured, "$domain_data", 0)):
        text = base.replace(right, change, 1)
        if is_there:
            text = text.replace("begin transports\n", WITH_DOMAIN.format(variable))
        findings = found_in(text, tmp_path)
        assert [*map(str, findings.errors)] == []
        assert len([warning for warning in findings.warnings if "tainted" in warning.message]) == count
        assert [warning for warning in findings.warnings if "always empty" in warning.message] == []
