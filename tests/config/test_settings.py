"""Lines that set options: every form, every kind of value, every complaint, in Exim's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from .files import complaint, faults, read, shown

SHOWN = [
    # booleans
    ("queue_only", "queue_only", "queue_only"),
    ("no_queue_only", "queue_only", "no_queue_only"),
    ("not_queue_only", "queue_only", "no_queue_only"),
    ("queue_only = TRUE", "queue_only", "queue_only"),
    ("queue_only = no", "queue_only", "no_queue_only"),
    ("queue_only =", "queue_only", "queue_only"),
    ("hide no_queue_only", "queue_only", "no_queue_only"),
    # integers
    ("finduser_retries = 0x10", "finduser_retries", "finduser_retries = 16"),
    ("finduser_retries = 010", "finduser_retries", "finduser_retries = 8"),
    ("finduser_retries = 2K", "finduser_retries", "finduser_retries = 2048"),
    ("finduser_retries = -2", "finduser_retries", "finduser_retries = -2"),
    ("header_maxsize = 3M", "header_maxsize", "header_maxsize = 3145728"),
    ("bounce_return_size_limit = 3072", "bounce_return_size_limit", "bounce_return_size_limit = 3K"),
    ("bounce_return_size_limit = 1G", "bounce_return_size_limit", "bounce_return_size_limit = 1024M"),
    ("bounce_return_size_limit = 1000", "bounce_return_size_limit", "bounce_return_size_limit = 1000"),
    ("bounce_return_size_limit = 0", "bounce_return_size_limit", "bounce_return_size_limit = 0"),
    ("return_size_limit = 5M", "return_size_limit", "return_size_limit = 5M"),
    ("return_size_limit = 5M", "bounce_return_size_limit", "bounce_return_size_limit = 5M"),
    # kilobytes
    ("check_spool_space = 1", "check_spool_space", "check_spool_space = 1K"),
    ("check_spool_space = 1025", "check_spool_space", "check_spool_space = 1025K"),
    ("check_spool_space = 5000K", "check_spool_space", "check_spool_space = 5000K"),
    ("check_spool_space = 2048M", "check_spool_space", "check_spool_space = 2G"),
    ("check_spool_space = 10000000G", "check_spool_space", "check_spool_space = 10000000G"),
    ("check_spool_space = 0", "check_spool_space", "check_spool_space = 0"),
    # fixed point
    ("", "queue_only_load", "queue_only_load ="),
    ("queue_only_load = 1.5", "queue_only_load", "queue_only_load = 1.5"),
    ("queue_only_load = 1.05", "queue_only_load", "queue_only_load = 1.05"),
    ("queue_only_load = 3", "queue_only_load", "queue_only_load = 3.0"),
    ("queue_only_load = 3.", "queue_only_load", "queue_only_load = 3.0"),
    ("queue_only_load = 3.0005", "queue_only_load", "queue_only_load = 3.0"),
    # times
    ("auto_thaw = 1w2d3h4m5s", "auto_thaw", "auto_thaw = 1w2d3h4m5s"),
    ("auto_thaw = 15d100s", "auto_thaw", "auto_thaw = 2w1d1m40s"),
    ("auto_thaw = 0s", "auto_thaw", "auto_thaw = 0s"),
    ("", "callout_domain_positive_expire", "callout_domain_positive_expire = 1w"),
    ("delay_warning = 2h:6h:7d", "delay_warning", "delay_warning = 2h:6h:1w"),
    ("delay_warning =", "delay_warning", "delay_warning = "),
    ("smtp_receive_timeout = ${if eq{a}{b}}s", "smtp_receive_timeout", "smtp_receive_timeout = ${if eq{a}{b}}s"),
    # users and groups
    ("exim_user = 0", "exim_user", "exim_user = root"),
    ("trusted_users = root:0 : root", "trusted_users", "trusted_users = root:root:root"),
    ("trusted_users = ${if eq{a}{a}{root:0}}", "trusted_users", "trusted_users = root:root"),
    ("trusted_groups = root", "trusted_groups", "trusted_groups = root"),
    ("never_users =", "never_users", "never_users ="),
    ("", "admin_groups", "admin_groups ="),
    ("", "untrusted_set_sender", "untrusted_set_sender = "),
    # strings
    ("timezone = a\x01\x80\\b", "timezone", r"timezone = a\001\200\b"),
    ("print_topbitchars\ntimezone = a\x80", "timezone", "timezone = a\x80"),
    (r'timezone = "a\n"', "timezone", r"timezone = a\n"),
    ("", "acl_smtp_data_prdr", "acl_smtp_data_prdr = accept"),
    ("acl_smtp_rcpt =", "acl_smtp_rcpt", "acl_smtp_rcpt = "),
    ("daemon_smtp_port = 25 : 587", "daemon_smtp_ports", "daemon_smtp_ports = 25 : 587"),
    ("local_interfaces = <; a ; b", "local_interfaces", "local_interfaces = <; a ; b"),
    # computed
    ("primary_hostname = a.b", "qualify_domain", "qualify_domain = a.b"),
    ("primary_hostname = a.b\nqualify_domain = c", "qualify_recipient", "qualify_recipient = c"),
    ("spool_directory = /a/$primary_hostname\nprimary_hostname = b", "spool_directory", "spool_directory = /a/b"),
    ("spool_directory = /a", "log_file_path", "log_file_path = /a/log/%slog"),
    ("spool_directory = /a", "pid_file_path", "pid_file_path = /a/exim-daemon.pid"),
    ("log_file_path = $spool_directory/%slog\nspool_directory = /b", "log_file_path", "log_file_path = /b/%slog"),
    ("remote_max_parallel = 0", "remote_max_parallel", "remote_max_parallel = 1"),
    ("bounce_return_size_limit = 5M\nreturn_size_limit = 6M", "return_size_limit", "return_size_limit = 6M"),
    # features that are not there may be switched off
    ("smtputf8_advertise_hosts =", "smtputf8_advertise_hosts", "smtputf8_advertise_hosts = "),
    ("hosts_proxy = :", "hosts_proxy", "hosts_proxy = :"),
    ("av_scanner = sophie:/var/run/sophie", "av_scanner", "av_scanner = sophie:/var/run/sophie"),
]


@pytest.mark.parametrize(("text", "name", "expected"), SHOWN)
def test_shown(text: str, name: str, expected: str, tmp_path: Path) -> None:
    assert shown(read(tmp_path, text), name) == expected


FAULTS = [
    ("xx = 1", 'main option "xx" unknown'),
    ("begin", 'main option "begin" unknown'),
    ("hide", 'main option "" unknown'),
    ("hide hide queue_only", 'main option "hide" unknown'),
    ("no_no_queue_only", 'main option "no_no_queue_only" unknown'),
    ("1timezone = a", "option setting expected: 1timezone = a"),
    ("queue_only = maybe", '"maybe" is not a valid value for the "queue_only" option'),
    ("queue_only = 1", '"" is not a valid value for the "queue_only" option'),
    ("queue_only x", "extra characters follow boolean option queue_only"),
    ("queue_only = true x", 'extra characters follow "true" for boolean option queue_only'),
    ("no_queue_only = true", "extra characters follow boolean option no_queue_only"),
    ("no_primary_hostname = x", "negation prefix applied to a non-boolean option"),
    ("primary_hostname", "unexpected end of line (data missing) after primary_hostname"),
    ("timezone a", 'missing "=" after timezone'),
    ("auto_thaw = 10x", "invalid time value for auto_thaw"),
    ("auto_thaw = 90", "invalid time value for auto_thaw"),
    ("auto_thaw =", "invalid time value for auto_thaw"),
    ('auto_thaw = "3d"', "invalid time value for auto_thaw"),
    ("auto_thaw = 5m 3s", "invalid time value for auto_thaw"),
    ("delay_warning = 2h:1h", "time value out of order for delay_warning"),
    ("delay_warning = <; 2h;3h", "invalid time value for delay_warning"),
    ("smtp_receive_timeout = 5x", "invalid time value for smtp_receive_timeout"),
    ("check_spool_space = 10KK", "extra characters follow integer value for check_spool_space"),
    ('check_spool_space = "10M"', "integer expected for check_spool_space"),
    ("finduser_retries = a", "integer expected for finduser_retries"),
    ("finduser_retries = 09", "extra characters follow integer value for finduser_retries"),
    ("finduser_retries = 99999999999", 'absolute value of integer "99999999999" is too large (overflow)'),
    ("bounce_return_size_limit = 2048M", 'absolute value of integer "2048M" is too large (overflow)'),
    ("queue_only_load = .3", "fixed-point number expected for queue_only_load"),
    ("queue_only_load = 3x", "extra characters follow fixed-point value for queue_only_load"),
    ('timezone = "abc', "missing quote at end of string value for timezone"),
    ('timezone = "abc" x', "extra characters follow string value for timezone"),
    ("trusted_users = nosuchuser", "user nosuchuser was not found"),
    ("admin_groups = nosuchgroup", "group nosuchgroup was not found"),
    ("exim_user = $local_part", "user $local_part was not found"),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_fault(text: str, expected: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, text) == f"Exim configuration error in line 1 of FILE:\n  {expected}"


TOGETHER = [
    (
        "timezone = x\ntimezone = y",
        'Exim configuration error in line 2 of FILE:\n  "timezone" option set for the second time',
    ),
    (
        "no_queue_only\nqueue_only",
        'Exim configuration error in line 2 of FILE:\n  "queue_only" option set for the second time',
    ),
    (
        "local_sender_retain",
        "both local_from_check and local_sender_retain are set; this combination is not allowed",
    ),
    ("local_sender_retain\nno_local_from_check", ""),
    ("log_selector = +foo", "Exim configuration error:\n  unknown log_selector setting: +foo"),
    (
        "log_selector = foo",
        'Exim configuration error:\n  malformed log_selector setting: + or - expected but found "foo"',
    ),
    ("log_selector = +all -arguments", ""),
    ("syslog_facility = foo", 'Exim configuration error:\n  failed to interpret syslog_facility "foo"'),
    ("syslog_facility = LOCAL5", ""),
    ("dmarc_mode = rfc9989", ""),
    (
        "dmarc_mode = rfc998",
        'Exim configuration error in line 1 of FILE:\n  "rfc998" is not valid for dmarc_mode',
    ),
    (
        "localhost_number = 300",
        "Exim configuration error:\n  localhost_number is greater than the maximum allowed value (16)",
    ),
    ("localhost_number = a", "Exim configuration error:\n  localhost_number value is not a number: a"),
    ("localhost_number = 3", ""),
    (
        "tls_dh_max_bits = 1",
        "Exim configuration error:\n  tls_dh_max_bits is too small, must be at least 1024 for interop",
    ),
    (
        "smtp_accept_max = 0\nsmtp_accept_max_per_host = 1",
        "Exim configuration error:\n  "
        "smtp_accept_max must be set if smtp_accept_queue or smtp_accept_max_per_host is set",
    ),
    ("smtp_ratelimit_mail = 2", "malformed ratelimit data: 2"),
    ("smtp_ratelimit_mail = 2,0.5s,1.05,4m", ""),
    ("smtp_ratelimit_rcpt = 2,5s,1.05,4x", "malformed ratelimit data: 2,5s,1.05,4x"),
    ("log_file_path = /a/log", 'log_file_path "/a/log" does not contain "%s"'),
    (
        "spool_directory = ${if",
        'failed to expand spool_directory "${if": condition name expected, but found ""',
    ),
    ("ldap_start_tls", ""),
    (
        "hosts_proxy = 192.0.2.1",
        'Exim configuration error in line 1 of FILE:\n  option "hosts_proxy" needs PROXY protocol, '
        "which this version does not have",
    ),
    ("begin foo", 'Exim configuration error in line 1 of FILE:\n  "foo" is not a known configuration section name'),
    (
        "begin acl\nbegin ACL",
        'Exim configuration error in line 2 of FILE:\n  "acl" section is repeated in the configuration file',
    ),
    ("begin local_scan", ""),
    ("begin acls", ""),
    ("BEGIN  Acl", ""),
    ("begin\tacl", 'Exim configuration error in line 1 of FILE:\n  main option "begin" unknown'),
    (
        "begin acl foo",
        'Exim configuration error in line 1 of FILE:\n  "acl foo" is not a known configuration section name',
    ),
]


@pytest.mark.parametrize(("text", "expected"), TOGETHER)
def test_whole(text: str, expected: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, text) == expected


def test_all_faults_are_reported(tmp_path: Path) -> None:
    text = "primary_hostnam = a\nqueue_only = x\nauto_thaw = 3\nbegin foo\nbar\nbegin routers\nr\n driver = accept"
    found = [(fault.place.line if fault.place else 0, fault.hint) for fault in faults(tmp_path, text)]
    assert found == [
        (1, "did you mean primary_hostname?"),
        (2, ""),
        (3, ""),
        (4, ""),
        (7, "name:"),
    ]


def test_old_names_are_mentioned_once(tmp_path: Path) -> None:
    config = read(tmp_path, "daemon_smtp_port = 2525\nno_prdr_enable")
    assert [(warning.message, warning.hint) for warning in config.warnings] == [
        ('option "daemon_smtp_port" is an old name', "now called daemon_smtp_ports")
    ]


def test_an_option_that_has_nothing_to_set_is_a_warning(tmp_path: Path) -> None:
    config = read(tmp_path, "gnutls_compat_mode")
    assert [(warning.message, warning.hint) for warning in config.warnings] == [
        ('option "gnutls_compat_mode" has no effect', "TLS is OpenSSL's")
    ]


@pytest.mark.parametrize(
    ("is_admin", "is_terse", "expected"),
    [
        (True, False, "timezone = a"),
        (False, False, "timezone = <value not displayable>"),
        (True, True, "a"),
        (False, True, "<value not displayable>"),
    ],
)
def test_hidden(is_admin: bool, is_terse: bool, expected: str, tmp_path: Path) -> None:
    config = read(tmp_path, "hide timezone = a")
    assert shown(config, "timezone", is_admin=is_admin, is_terse=is_terse) == expected
