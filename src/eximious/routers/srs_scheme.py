"""The main options of the older SRS interface, as a scheme to rewrite senders with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious.mailauth.srs.scheme import RFC_LIMIT, Scheme

if TYPE_CHECKING:
    from eximious.config.main import MainOptions

MAX_AGES: Final = range(366)  # days
HASH_LENGTHS: Final = range(1, 21)
FIELDS: Final = 5  # of srs_config
INVALID: Final = -2  # a number that is out of every range


class SrsMisconfigured(Exception):
    """The srs_ options make no scheme; the text is that of the log line."""


def scheme_for(main: MainOptions, clock: Callable[[], float]) -> Scheme:
    """The scheme that the options describe; ``srs_config`` wins over the others. Raises SrsMisconfigured."""
    secrets = srs_secrets(main)
    _, *rest = [*(main.srs_config or ()), *[""] * FIELDS][:FIELDS]
    max_age, hash_length, use_timestamp, use_hash = (_number(text) for text in rest)
    max_age = main.srs_maxage if max_age is None else max_age
    hash_length = main.srs_hashlength if hash_length is None else hash_length
    hash_min = hash_length if main.srs_hashmin == -1 else main.srs_hashmin
    if not secrets:
        raise SrsMisconfigured("SRS Configuration Error: No secret specified")
    if max_age not in MAX_AGES:
        raise SrsMisconfigured("SRS Configuration Error: Invalid maximum timestamp age")
    if hash_length not in HASH_LENGTHS or hash_min not in HASH_LENGTHS:
        raise SrsMisconfigured("SRS Configuration Error: Invalid hash length")
    return Scheme(
        secrets,
        hash_length=hash_length,
        hash_min=hash_min,
        max_age=max_age,
        use_hash=main.srs_usehash if use_hash is None else bool(use_hash),
        use_timestamp=main.srs_usetimestamp if use_timestamp is None else bool(use_timestamp),
        max_local_part=RFC_LIMIT,
        clock=clock,
    )


def srs_secrets(main: MainOptions) -> list[str]:
    """The secret to sign with, then others that are still accepted: that of ``srs_config``, and ``srs_secrets``."""
    return [secret for secret in (*(main.srs_config or [])[:1], *(main.srs_secrets or ())) if secret]


def _number(text: str) -> int | None:
    """None for nothing: the option beside counts then."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() else INVALID
