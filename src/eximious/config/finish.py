"""What is done with the main options when everything has been read: computed defaults, checks across options."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from eximious.config.configuration import Configuration
from eximious.config.early import expand_for
from eximious.config.errors import Fault, Faults
from eximious.config.main import MainOptions
from eximious.errors import ConfigError, Place, did_you_mean
from eximious.logs import destination, selector
from eximious.octets import SPACE

LOCALHOST_MAX: Final = 16
LOOKUP_ORDERS: Final = ("bydns", "byaddr")
DMARC_MODES: Final = ("rfc7489", "rfc9989")
QUEUE_RUN_ORDERS: Final = ("random", "oldest", "newest")
TLS_DH_LEAST: Final = 1024
FACILITIES: Final = (
    *("auth", "authpriv", "cron", "daemon", "kern", "lpr", "mail", "news", "syslog", "user", "uucp"),
    *(f"local{number}" for number in range(8)),
)
_SPOOL: Final = re.compile(r"\$spool_directory(?!\w)")
_RATELIMIT: Final = re.compile(r"\d+,[\d.]+[smhdw],\d+(\.\d*)?,(\d+[smhdw])+")


def finish(config: Configuration, faults: Faults) -> None:
    """Complete and check the main options."""
    for step in (_expand, _defaults, *CHECKS):
        try:
            step(config)
        except ConfigError as error:
            faults.take(error)


def put(main: MainOptions, name: str, value: Any) -> None:
    """Set the value of an option that the configuration did not set."""
    main.__dict__[name] = value


def _expand(config: Configuration) -> None:
    """Expand, once and for all, the strings of which the value at the start counts."""
    main = config.main
    first = main.options["spool_directory"]
    others = (option for option in main.options.values() if option is not first and _is_start_text(option.kind))
    for option in (first, *others):
        value = getattr(main, option.field)
        if value is not None and option is not first:
            value = _SPOOL.sub(main.spool_directory.replace("\\", r"\\"), value)  # spares the expansion engine
            put(main, option.field, value)
        if value is None or "$" not in value:
            continue
        given = main.given.get(option.name)
        try:
            put(main, option.field, expand_for(config, value, given.place if given else None))
        except ConfigError as error:
            reason = error.message.split(": ", 1)[-1]
            raise Fault(f'failed to expand {option.name} "{value}": {reason}', error.place, bare=True) from error


def _is_start_text(kind: str) -> bool:
    return kind.startswith("StartText")


def _defaults(config: Configuration) -> None:
    main = config.main
    if not main.is_set("qualify_domain"):
        put(main, "qualify_domain", main.primary_hostname)
    if not main.is_set("qualify_recipient"):
        put(main, "qualify_recipient", main.qualify_domain)
    if not main.is_set("log_file_path"):
        put(main, "log_file_path", f"{main.spool_directory}/log/%slog")
    if not main.pid_file_path:
        put(main, "pid_file_path", f"{main.spool_directory}/exim-daemon.pid")
    if main.process_log_path is None:
        put(main, "process_log_path", f"{main.spool_directory}/exim-process.info")
    if main.remote_max_parallel < 1:
        put(main, "remote_max_parallel", 1)
    if main.is_set("system_filter_user") and not main.is_set("system_filter_group"):
        put(main, "system_filter_group", _group_of(main.system_filter_user))


def _group_of(uid: int | None) -> int | None:
    import pwd

    try:
        return None if uid is None else pwd.getpwuid(uid).pw_gid
    except KeyError:
        return None


def _place(main: MainOptions, name: str) -> Place | None:
    given = main.given.get(name)
    return None if given is None else given.place


def check_log_selector(config: Configuration) -> None:
    """Unknown names, missing signs."""
    main = config.main
    if main.log_selector:
        try:
            selector.parse(main.log_selector)
        except ConfigError as error:
            raise Fault(error.message, _place(main, "log_selector"), error.hint) from error


def check_log_file_path(config: Configuration) -> None:
    """Paths without ``%s``, and relative ones."""
    main = config.main
    if main.is_set("log_file_path"):
        try:
            destination.parse(main.log_file_path, f"{main.spool_directory}/log/%slog")
        except ConfigError as error:
            raise Fault(error.message, _place(main, "log_file_path"), bare=True) from error


def check_localhost_number(config: Configuration) -> None:
    """A number that fits into message ids."""
    main = config.main
    if main.localhost_number is None or not main.is_set("localhost_number"):
        return
    given = main.given["localhost_number"]
    try:
        text = expand_for(config, given.text, given.place).strip(SPACE)
    except ConfigError as error:
        reason = error.message.split(": ", 1)[-1]
        message = f'failed to expand localhost_number "{given.text}": {reason}'
        raise Fault(message, given.place, bare=True) from error
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Fault(f"localhost_number value is not a number: {text}", given.place)
    if text and int(text) > LOCALHOST_MAX:
        raise Fault(f"localhost_number is greater than the maximum allowed value ({LOCALHOST_MAX})", given.place)


def check_words(config: Configuration) -> None:
    """Options that are one of a few words."""
    main = config.main
    facility = main.syslog_facility
    if facility and facility.lower().removeprefix("log_") not in FACILITIES:
        hint = did_you_mean(facility.lower(), FACILITIES)
        raise Fault(f'failed to interpret syslog_facility "{facility}"', _place(main, "syslog_facility"), hint)
    for item in main.host_lookup_order:
        if item not in LOOKUP_ORDERS:
            hint = did_you_mean(item, LOOKUP_ORDERS)
            raise ConfigError(f'"{item}" is not known in host_lookup_order', _place(main, "host_lookup_order"), hint)
    order = main.queue_run_order
    if order and order not in QUEUE_RUN_ORDERS:
        hint = did_you_mean(order, QUEUE_RUN_ORDERS)
        raise ConfigError(f'"{order}" is not valid for queue_run_order', _place(main, "queue_run_order"), hint)
    if main.dmarc_mode not in DMARC_MODES:
        hint = did_you_mean(main.dmarc_mode, DMARC_MODES)
        raise ConfigError(f'"{main.dmarc_mode}" is not valid for dmarc_mode', _place(main, "dmarc_mode"), hint)


def check_limits(config: Configuration) -> None:
    """Numbers that would make no sense."""
    main = config.main
    if main.tls_dh_max_bits < TLS_DH_LEAST:
        raise Fault(
            f"tls_dh_max_bits is too small, must be at least {TLS_DH_LEAST} for interop",
            _place(main, "tls_dh_max_bits"),
        )
    if main.smtp_accept_max == 0 and (main.smtp_accept_queue > 0 or main.is_set("smtp_accept_max_per_host")):
        raise Fault(
            "smtp_accept_max must be set if smtp_accept_queue or smtp_accept_max_per_host is set",
            _place(main, "smtp_accept_max"),
        )


def check_sender(config: Configuration) -> None:
    """Sender: lines cannot be both kept and corrected."""
    main = config.main
    if main.local_from_check and main.local_sender_retain:
        raise Fault(
            "both local_from_check and local_sender_retain are set; this combination is not allowed",
            _place(main, "local_sender_retain"),
            "add no_local_from_check",
            bare=True,
        )


def check_ratelimits(config: Configuration) -> None:
    """``threshold,delay,factor,longest``."""
    main = config.main
    for name in ("smtp_ratelimit_mail", "smtp_ratelimit_rcpt"):
        text = getattr(main, name)
        if not text:
            continue
        found = _RATELIMIT.fullmatch(text.replace(" ", ""))
        if found is None:
            hint = "threshold,delay,factor,longest"
            raise Fault(f"malformed ratelimit data: {text}", _place(main, name), hint, bare=True)


def check_patterns(config: Configuration) -> None:
    """Regular expressions that Exim compiles at once; the default is known to be good."""
    main = config.main
    if main.is_set("uucp_from_pattern") and main.uucp_from_pattern:
        from importlib import import_module

        from eximious.errors import ExpandError

        try:
            import_module("eximious.expand.regex").compile(main.uucp_from_pattern)
        except ExpandError as error:
            raise Fault(str(error), _place(main, "uucp_from_pattern"), bare=True) from error


CHECKS: Final[tuple[Callable[[Configuration], None], ...]] = (
    check_log_selector,
    check_log_file_path,
    check_localhost_number,
    check_words,
    check_limits,
    check_sender,
    check_ratelimits,
    check_patterns,
)
