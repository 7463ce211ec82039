"""Names that still work but have newer ones. (Those of options are found when the file is read.)"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from eximious.acl.spf import OLD_NAMES as SPF_RESULTS
from eximious.cli.checks.strings import texts
from eximious.config.configuration import Configuration
from eximious.errors import ConfigError, OldName, Place
from eximious.expand.variable import Variable
from eximious.retry.errors import OLD_NAMES as RETRY_ERRORS

VARIABLES: Final = {
    "dmarc_ar_header": "what it gave is ${authresults{$primary_hostname}}",
    "tls_bits": "now called $tls_in_bits",
    "tls_certificate_verified": "now called $tls_in_certificate_verified",
    "tls_cipher": "now called $tls_in_cipher",
    "tls_peerdn": "now called $tls_in_peerdn",
    "tls_sni": "now called $tls_in_sni",
}
CONTROLS: Final = {"dmarc_forensic_enable": "dmarc_enable_forensic"}
_SEVERAL: Final = "|".join((*VARIABLES, *CONTROLS, *SPF_RESULTS, *RETRY_ERRORS))
_ANY: Final = re.compile(rf"\b(?:{_SEVERAL})\b")

Use = tuple[str, str, Place | None]  # the name, what to write, where


def old_names(config: Configuration) -> Iterator[ConfigError]:
    """A note for each name, where it is used first."""
    if not any(map(_ANY.search, config.lines)):
        return
    uses: dict[str, list[tuple[str, Place | None]]] = {}
    for name, new, place in (*_variables(config), *_in_acls(config), *_retry_errors(config)):
        uses.setdefault(name, []).append((new, place))
    for name, found in uses.items():
        new, place = found[0]
        more = (
            "" if len(found) == 1 else " (and once more)" if len(found) == 2 else f" (and {len(found) - 1} times more)"
        )
        yield OldName(f"{name} is an old name", place, new + more)


def _variables(config: Configuration) -> Iterator[Use]:
    for text in texts(config):
        for node in text.walk():
            if isinstance(node, Variable) and node.name in VARIABLES:
                yield f"${node.name}", VARIABLES[node.name], text.place_of(node)


def _in_acls(config: Configuration) -> Iterator[Use]:
    for acl in config.acls.values():
        for statement in acl.statements:
            for item in statement.items:
                yield from _of_item(item)


def _of_item(item: Any) -> Iterator[Use]:
    known = {"control": CONTROLS, "spf": SPF_RESULTS, "spf_guess": SPF_RESULTS}.get(item.name, {})
    for old, new in known.items():
        found = re.search(rf"\b{old}\b", item.source)
        if found is not None:
            place = None if item.place is None else item.place.at(found.start())
            yield old, f"now called {new}", place


def _retry_errors(config: Configuration) -> Iterator[Use]:
    for rule in config.retry_rules:
        place = rule.place
        words = place.text.split() if place is not None else []
        for old, new in RETRY_ERRORS.items():
            if old in words[1:2]:
                yield old, f"now called {new}", place.at(place.text.index(old) - place.column + 1)
