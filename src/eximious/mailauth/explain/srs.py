"""Senders that a forwarder rewrote, read again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from eximious.mailauth.explain.finding import Finding
from eximious.mailauth.srs import BadHash, Expired, Scheme, SrsError
from eximious.mailauth.srs.native import decode
from eximious.mailauth.srs.stamp import age

_FIRST: Final = re.compile(r"SRS0[=+-]([^=]*)=([A-Z2-7]{2})=([^=]+)=(.+)", re.IGNORECASE | re.DOTALL)
_LATER: Final = re.compile(r"SRS1[=+-]([^=]*)=([^=]+)=([=+-].+)", re.IGNORECASE | re.DOTALL)
SECRET_REMEDY: Final = "give the secret that the forwarder rewrites with, if it is yours; else only it can tell"


def explained(sender: str, now: float, secrets: Sequence[str] = (), scheme: Scheme | None = None) -> Finding | None:
    """The finding; None if the sender does not look rewritten.

    `secrets` are those that may have signed it; `scheme` knows more about how, without it the usual one is taken.
    """
    local_part, _, forwarder = sender.rpartition("@")
    first, later = _FIRST.fullmatch(local_part), _LATER.fullmatch(local_part)
    if first is not None:
        days = age(first[2], now)
        text = f"{forwarder} rewrote {first[4]}@{first[3]}, {days} day{'' if days == 1 else 's'} ago"
    elif later is not None:
        text = f"{forwarder} rewrote SRS0{later[3]}@{later[2]}, which {later[2]} had rewritten"
    else:
        return None
    if not secrets:
        return Finding("SRS", "none", text, ("no secret was given: whether that is true was not checked",))
    scheme = scheme or Scheme(secrets, hash_min=1, clock=lambda: now)
    return _checked(sender, local_part, text, now, secrets, scheme)


def _checked(sender: str, local_part: str, text: str, now: float, secrets: Sequence[str], scheme: Scheme) -> Finding:
    for secret in secrets:
        original = decode(secret, local_part, now)
        if original is not None:
            return Finding("SRS", "pass", text, (f"bounces go to {original} (Exim's own scheme)",))
    try:
        return Finding("SRS", "pass", text, (f"bounces go to {scheme.reverse(sender)}",))
    except Expired as error:
        return Finding("SRS", "fail", text, (str(error),), "bounces come too late: nothing mends that")
    except BadHash as error:
        return Finding("SRS", "fail", text, (str(error),), SECRET_REMEDY)
    except SrsError as error:
        return Finding("SRS", "fail", text, (str(error),), "nothing: somebody made the address up")
