"""Conditions for services that are gone."""

from __future__ import annotations

from eximious.errors import ExpandError
from eximious.expand.condition import condition


@condition("pwcheck", 1)
def pwcheck(text: str) -> bool:
    """The pwcheck daemon was replaced by saslauthd long ago."""
    raise ExpandError('support for "pwcheck" not compiled')


@condition("radius", 1)
def radius(text: str) -> bool:
    """Exim's builds that can do this name the client's configuration file when they are made."""
    raise ExpandError('support for "radius" not compiled')
