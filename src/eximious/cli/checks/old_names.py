"""Names that still work but have newer ones. (Old names of options are found when the file is read.)"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eximious.cli.checks.strings import texts
from eximious.config.configuration import Configuration
from eximious.errors import ConfigError, Place
from eximious.expand.variable import Variable

VARIABLES: Final = {
    "tls_bits": "tls_in_bits",
    "tls_certificate_verified": "tls_in_certificate_verified",
    "tls_cipher": "tls_in_cipher",
    "tls_peerdn": "tls_in_peerdn",
    "tls_sni": "tls_in_sni",
}


def old_names(config: Configuration) -> Iterator[ConfigError]:
    """A note for each name, where it is used first."""
    uses: dict[str, list[Place | None]] = {}
    for text in texts(config):
        for node in text.walk():
            if isinstance(node, Variable) and node.name in VARIABLES:
                uses.setdefault(node.name, []).append(text.place_of(node))
    for name, places in uses.items():
        more = f" (there are {len(places) - 1} more uses)" if len(places) > 1 else ""
        yield ConfigError(f"${name} is an old name", places[0], f"now called ${VARIABLES[name]}{more}")
