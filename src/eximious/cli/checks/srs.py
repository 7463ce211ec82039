"""The older interface to SRS: whether it can work, and that there is a newer one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from eximious.config.configuration import Configuration
from eximious.errors import ConfigError, Place
from eximious.routers.srs_scheme import SrsMisconfigured, scheme_for

MAIN_OPTIONS: Final = (
    *("srs_config", "srs_secrets", "srs_maxage", "srs_hashlength", "srs_hashmin", "srs_usehash"),
    "srs_usetimestamp",
)
SECRETS: Final = ("srs_config", "srs_secrets")  # which `eximious explain mail` uses, too
BACK: Final = ("reverse", "reverseandforward")
NO_HASH: Final = "leave srs_usehash on, and the fifth item of srs_config 1"
OF_ONE: Final = re.compile(r"\$\{?(?:(?:original_|parent_)domain|(?:original_|parent_)?local_part)\b")
NEWER_FORM: Final = (
    "the newer form is return_path = ${srs_encode{secret}{$return_path}{$original_domain}} in the transport, and "
    "condition = ${if inbound_srs{$local_part}{secret}} in a router"
)


def misconfigured_srs(config: Configuration) -> Iterator[ConfigError]:
    """Warnings if routers rewrite with options that make no scheme: every address is deferred; or a careless one."""
    place = _first_router(config)
    if place is None:
        return
    try:
        if not scheme_for(config.main, lambda: 0.0).uses_hash and _turns_back(config):
            yield ConfigError("SRS without a hash: strangers can have mail sent anywhere", place, NO_HASH)
    except SrsMisconfigured as error:
        given = config.main.given
        yield ConfigError(str(error), next((given[name].place for name in MAIN_OPTIONS if name in given), place))


def shared_srs(config: Configuration) -> Iterator[ConfigError]:
    """A warning for transports that rewrite for one recipient, and may have several: these have no such variables."""
    for transport in config.transports.values():
        given = transport.given.get("return_path")
        if given is None or "srs_encode" not in given.text:
            continue
        most = transport.max_rcpt if transport.driver == "smtp" else getattr(transport, "batch_max", 1)
        found = OF_ONE.search(given.text)
        if found is not None and str(getattr(most, "source", most)).strip() != "1":
            name = "max_rcpt" if transport.driver == "smtp" else "batch_max"
            yield ConfigError(
                f"{found[0]} is empty for several recipients, who may share a transaction",
                given.place,
                f"{name} = 1 keeps them apart",
            )


def older_srs(config: Configuration) -> Iterator[ConfigError]:
    """One note, however many routers there are."""
    place = _first_router(config)
    if place is not None:
        yield ConfigError("the option srs is the older interface to SRS", place, NEWER_FORM)
        return
    for name in MAIN_OPTIONS:
        if name not in SECRETS and name in config.main.given:
            hint = "no redirect router has the option srs"
            yield ConfigError(f'the option "{name}" has no effect here', config.main.given[name].place, hint)


def _turns_back(config: Configuration) -> bool:
    return any(getattr(router, "srs", None) in BACK for router in config.routers)


def _first_router(config: Configuration) -> Place | None:
    """Where the first router that rewrites says so."""
    for router in config.routers:
        if "srs" in router.given:
            place: Place | None = router.given["srs"].place
            return place
    return None
