"""DMARC: conditions that can never be true, and options that wait for a check which nobody asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eximious.acl.compiled import Item
from eximious.config.configuration import Configuration
from eximious.errors import ConfigError

IN_VAIN: Final = ("dmarc_aggregate_reports", "dmarc_history_file", "dmarc_forensic_sender")
FORENSIC: Final = ("dmarc_enable_forensic", "dmarc_forensic_enable")


def dmarc_without_effect(config: Configuration) -> Iterator[ConfigError]:
    """A warning if DMARC is switched off where it is asked for, or nowhere asked for."""
    main = config.main
    asking = _items(config, "dmarc_status")
    if asking and main.dmarc_mode == "rfc7489" and main.dmarc_tld_file is None:
        yield ConfigError(
            "dmarc_status is always off: there is no dmarc_tld_file",
            asking[0].place,
            "name the public suffix list there, or set dmarc_mode = rfc9989, which needs none",
        )
    if asking or not _is_all_named(config):
        return
    wanted = [main.given[name].place for name in IN_VAIN if name in main.given and getattr(main, name)]
    wanted += [item.place for item in _items(config, "control") if item.source.strip() in FORENSIC]
    if wanted:
        hint = "a condition dmarc_status = ... in acl_smtp_data does"
        yield ConfigError("no ACL asks for DMARC, so there is nothing to report", wanted[0], hint)


def _items(config: Configuration, name: str) -> list[Item]:
    """The conditions or modifiers of a name in all ACLs."""
    return [
        item
        for acl in config.acls.values()
        for statement in acl.statements
        for item in statement.items
        if item.name == name
    ]


def _is_all_named(config: Configuration) -> bool:
    """True unless the ACL for DATA stands in its option, or elsewhere, where it is not looked into."""
    given = config.main.given.get("acl_smtp_data")
    return given is None or given.text.strip() in config.acls
