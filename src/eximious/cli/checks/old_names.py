"""Names that still work but have newer ones. (Old names of options are found when the file is read.)"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from eximious.cli.checks.strings import texts, walk
from eximious.config.configuration import Configuration
from eximious.errors import ConfigError
from eximious.expand.variable import Variable

VARIABLES: Final = {
    "tls_bits": "tls_in_bits",
    "tls_certificate_verified": "tls_in_certificate_verified",
    "tls_cipher": "tls_in_cipher",
    "tls_peerdn": "tls_in_peerdn",
    "tls_sni": "tls_in_sni",
}
_PERL: Final = re.compile(r"\$\{perl\b")


def old_names(config: Configuration) -> Iterator[ConfigError]:
    """A note for each use."""
    for text in texts(config):
        source = text.template.source
        if found := _PERL.search(source):
            place = None if text.place is None else text.place.at(found.start())
            yield ConfigError("there is no Perl in this program", place, "write the function in Python: ${python{...}}")
        if text.template.constant is not None:
            continue
        for node in walk(text.template.root):
            if isinstance(node, Variable) and node.name in VARIABLES:
                hint = f"now called ${VARIABLES[node.name]}"
                yield ConfigError(f"${node.name} is an old name", text.place_of(f"${node.name}"), hint)
