"""Options that are set but cannot take effect, because of what is set, or not set, beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from eximious.cli.checks.strings import instances
from eximious.config.configuration import Configuration
from eximious.config.option import Given, Options
from eximious.config.values import is_off
from eximious.errors import ConfigError
from eximious.expand.template import Template
from eximious.routers.base import Router
from eximious.transports.base import Transport

# Driver ("main", "router", "transport" or a driver's name), options, and the others of which one must be on for them
# to matter.
NEEDS: Final = (
    ("main", ("tls_privatekey", "tls_ocsp_file", "tls_dhparam"), ("tls_certificate",)),
    ("main", ("auth_advertise_hosts",), ("authenticators",)),
    ("main", ("smtp_accept_queue", "smtp_accept_reserve"), ("smtp_accept_max",)),
    ("main", ("smtp_reserve_hosts",), ("smtp_accept_reserve", "smtp_load_reserve")),
    ("main", ("smtp_ratelimit_hosts",), ("smtp_ratelimit_mail", "smtp_ratelimit_rcpt")),
    ("main", ("smtp_ratelimit_mail", "smtp_ratelimit_rcpt"), ("smtp_ratelimit_hosts",)),
    ("main", ("preserve_message_logs",), ("message_logs",)),
    ("main", ("local_from_prefix", "local_from_suffix"), ("local_from_check",)),
    ("main", ("queue_only_load_latch",), ("queue_only_load",)),
    ("main", ("bounce_return_body", "bounce_return_size_limit"), ("bounce_return_message",)),
    ("main", ("delay_warning_condition", "warn_message_file"), ("delay_warning",)),
    ("main", ("ldap_cert_key",), ("ldap_cert_file",)),
    ("main", ("python_timeout",), ("python_path", "python_startup")),
    ("main", ("rfc1413_query_timeout", "rfc1413_port"), ("rfc1413_hosts",)),
    ("main", ("rfc1413_hosts",), ("rfc1413_query_timeout",)),
    ("main", ("dmarc_report_contact", "dmarc_report_organization"), ("dmarc_aggregate_reports",)),
    ("main", ("dmarc_report_spread",), ("dmarc_aggregate_reports",)),
    (
        "main",
        (
            *("system_filter_user", "system_filter_group", "system_filter_file_transport"),
            *("system_filter_directory_transport", "system_filter_pipe_transport", "system_filter_reply_transport"),
        ),
        ("system_filter",),
    ),
    ("router", ("local_part_prefix_optional",), ("local_part_prefix",)),
    ("router", ("local_part_suffix_optional",), ("local_part_suffix",)),
    ("redirect", ("srs_alias", "srs_condition", "srs_dbinsert", "srs_dbselect"), ("srs",)),
    ("redirect", ("syntax_errors_to", "syntax_errors_text"), ("skip_syntax_errors",)),
    ("redirect", ("check_owner", "check_group", "owners", "owngroups", "modemask"), ("file",)),
    ("redirect", ("ignore_eacces", "ignore_enotdir"), ("file",)),
    ("redirect", ("forbid_exim_filter", "forbid_sieve_filter", "allow_freeze"), ("allow_filter",)),
    (
        "redirect",
        (
            *("forbid_filter_dlfunc", "forbid_filter_existstest", "forbid_filter_logwrite", "forbid_filter_lookup"),
            *("forbid_filter_perl", "forbid_filter_readfile", "forbid_filter_readsocket", "forbid_filter_reply"),
            *("forbid_filter_run", "filter_prepend_home"),
        ),
        ("allow_filter",),
    ),
    ("transport", ("transport_filter_timeout",), ("transport_filter",)),
    ("transport", ("shadow_condition",), ("shadow_transport",)),
    ("appendfile", ("maildir_retries", "maildir_tag", "maildirfolder_create_regex"), ("maildir_format",)),
    ("appendfile", ("maildir_use_size_file", "maildir_quota_directory_regex"), ("maildir_format",)),
    ("appendfile", ("mailstore_prefix", "mailstore_suffix"), ("mailstore_format",)),
    ("appendfile", ("quota_warn_message",), ("quota_warn_threshold",)),
    ("appendfile", ("quota_is_inclusive", "quota_warn_threshold"), ("quota", "quota_filecount")),
    ("appendfile", ("quota_directory", "quota_size_regex"), ("quota", "quota_filecount", "maildir_use_size_file")),
    ("appendfile", ("lockfile_mode", "lockfile_timeout"), ("use_lockfile",)),
    ("appendfile", ("directory_file",), ("directory",)),
    ("pipe", ("timeout_defer",), ("timeout",)),
    ("pipe", ("force_command",), ("command",)),
    ("autoreply", ("once_repeat", "once_file_size"), ("once",)),
    ("autoreply", ("file_expand", "file_optional"), ("file",)),
    ("autoreply", ("mode",), ("log",)),
    ("smtp", ("hosts_override", "hosts_randomize"), ("hosts",)),
    ("smtp", ("tls_privatekey",), ("tls_certificate",)),
    ("smtp", ("authenticated_sender_force",), ("authenticated_sender",)),
    ("smtp", ("lmtp_ignore_quota",), ("protocol",)),
    ("smtp", ("dkim_domain",), ("dkim_private_key",)),
    ("smtp", ("dkim_domain",), ("dkim_selector",)),
    (
        "smtp",
        ("dkim_canon", "dkim_identity", "dkim_private_key", "dkim_selector", "dkim_sign_headers", "dkim_timestamps"),
        ("dkim_domain",),
    ),
)
# Options of routers that only matter if addresses can get to them in a certain way.
EXCLUDED: Final = (
    ("redirect", "file_transport", "forbid_file"),
    ("redirect", "directory_transport", "forbid_file"),
    ("redirect", "pipe_transport", "forbid_pipe"),
    ("redirect", "qualify_domain", "qualify_preserve_domain"),
)


def ineffective(config: Configuration) -> Iterator[ConfigError]:
    """A note for each."""
    for options in instances(config):
        names = _names(options)
        for driver, dependent, needed in NEEDS:
            if driver in names and not any(_is_on(config, options, name) for name in needed):
                yield from _notes(options, dependent, f"it needs {' or '.join(needed)}")
        for driver, option, excluding in EXCLUDED:
            if driver in names and _is_on(config, options, excluding):
                yield from _notes(options, (option,), f"{excluding} is set")


def _names(options: Options) -> tuple[str, ...]:
    driver = str(getattr(options, "driver", ""))
    if isinstance(options, Router):
        return ("router", driver)
    if isinstance(options, Transport):
        return ("transport", driver)
    return ("main",) if not options.name else ()


def _notes(options: Options, dependent: tuple[str, ...], why: str) -> Iterator[ConfigError]:
    for name in dependent:
        given = options.given.get(name)
        if given is not None and not _is_default(options, name, given):
            yield ConfigError(f'the option "{name}" has no effect here', given.place, why)


def _is_on(config: Configuration, options: Options, name: str) -> bool:
    if name == "authenticators":
        return bool(config.authenticators)
    value: Any = getattr(options, options.options[name].field)
    if isinstance(value, Template):
        return value.constant != ""
    source = getattr(value, "source", None)
    return bool(source.strip() if isinstance(source, str) else value)


def _is_default(options: Options, name: str, given: Given) -> bool:
    """True if the option was set to what it is anyway, or switched off."""
    return is_off(options.options[name], given.text)
