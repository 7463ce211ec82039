"""The ``rewrite`` section of a configuration: a rule a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import ConfigError
from eximious.rewrite.rules import parse_rule

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.config.sections import Section


def read(section: Section, config: Configuration) -> None:
    """Read the rules into the configuration."""
    for line in section:
        place = line.place()
        try:
            config.rewrite_rules.append(parse_rule(line.text, len(config.rewrite_rules) + 1, place))
        except ConfigError as error:
            section.faults.take(error, place)
