"""Files that are named in so many words and are not there, or that the server cannot read; certificates and their keys.

A name that is expanded is not known here, and a file that is looked for first (``${if exists{...}``, require_files)
may well be missing.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from typing import Any, Final

from eximious.cli.checks.strings import Text, texts
from eximious.config.configuration import Configuration
from eximious.config.lists import split
from eximious.config.users import find_user, user_name
from eximious.errors import ConfigError
from eximious.expand.items.lookup import Lookup
from eximious.lists.base import MatchList
from eximious.lists.patterns import lookup_of
from eximious.lookups.base import UnusableLookup

# Options whose value is the name of a file that must be there (or a list of such).
NAMES: Final = frozenset(
    {
        "bounce_message_file",
        "dkim_private_key",
        "message_body_file",
        "system_filter",
        "tls_certificate",
        "tls_dhparam",
        "tls_privatekey",
        "warn_message_file",
    }
)
PEM: Final = frozenset({"tls_certificate", "tls_privatekey"})
_NET: Final = re.compile(r"\Anet\d*-")  # before the type of a lookup by address
_EXISTS: Final = re.compile(r"exists\s*\{([^{}]*)\}")


def files(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each."""
    told: set[str] = set()
    looked_for = {path for line in config.lines for path in _EXISTS.findall(line)}
    for text in texts(config):
        for path, is_folder, owner in _paths(text):
            if path in told or path in looked_for or getattr(text.holder, "require_files", None):
                continue
            fault = _fault(config, path, is_folder=is_folder)
            if fault:
                told.add(path)
                yield ConfigError(fault, text.place_in(owner, path))
    yield from _certificates(config, told)
    yield from _required_files(config)


def _required_files(config: Configuration) -> Iterator[ConfigError]:
    """Items of ``require_files`` that do not begin with a slash: they are users, who may not exist."""
    for router in config.routers:
        given = router.given.get("require_files")
        for item in router.required_files if given is not None else ():
            name = (item.constant or "").lstrip("!+ \t").partition(",")[0].rstrip()
            if name and not name.startswith("/") and find_user(name) is None:
                place = given.place.at(max(0, given.text.find(name))) if given.place is not None else None
                message = f'there is no user "{name}", as whom require_files would look'
                yield ConfigError(message, place, "the name of a file begins with a slash")


def _paths(text: Text) -> Iterator[tuple[str, bool, object]]:
    """Names of files that will be opened for reading, whether it is a directory, and the node that has the name."""
    constant = text.template.constant
    if constant is None:
        for thing in text.walk():
            if isinstance(thing, Lookup) and thing.spec.lookup.is_single_key:
                path = thing.source.constant
                if path is not None:
                    yield path, thing.spec.lookup.name == "dsearch", thing
    elif text.list is not None:
        for path, is_folder in _in_list(text.list, constant):
            yield path, is_folder, None
    elif text.option in NAMES:
        for item in split(constant):
            yield item, False, None


def _in_list(owner: MatchList, constant: str) -> Iterator[tuple[str, bool]]:
    for item in split(constant):
        name = _NET.sub("", item.lstrip("! \t"))
        made = owner.item_of(item)
        if made is None:
            continue
        if made.path:
            yield made.path, False
            continue
        try:
            found = lookup_of(name) if name[:1] not in "^@" else None
        except UnusableLookup:
            continue
        if found is not None and found[0].is_single_key:
            yield found[1], found[0].lookup.name == "dsearch"


def _fault(config: Configuration, path: str, *, is_folder: bool) -> str:
    """What is wrong with a file that is to be read; "" if nothing is, or if it cannot be seen from here."""
    if not path.startswith("/") or "\0" in path:
        return ""
    try:
        status = os.stat(os.fsencode(path.encode("latin-1")))
    except FileNotFoundError:
        return f"there is no {'directory' if is_folder else 'file'} {path}"
    except OSError:
        return ""
    if is_folder != stat.S_ISDIR(status.st_mode):
        return f"{path} is {'no' if is_folder else 'a'} directory"
    if not _readable(status, config.main.exim_user, config.main.exim_group):
        return f"the server, which runs as user {_name(config)}, cannot read {path}"
    return ""


def _readable(status: os.stat_result, uid: int, gid: int) -> bool:
    """True if permissions let the user read it; his other groups are asked, access lists are not."""
    if status.st_mode & 0o004 or uid == 0:
        return True
    if status.st_uid == uid:
        return bool(status.st_mode & 0o400)
    if status.st_gid in _groups(uid, gid):
        return bool(status.st_mode & 0o040)
    return False


def _groups(uid: int, gid: int) -> set[int]:
    try:
        return {gid, *os.getgrouplist(user_name(uid), gid)}
    except (KeyError, OSError):
        return {gid}


def _name(config: Configuration) -> str:
    return user_name(config.main.exim_user)


def _certificates(config: Configuration, told: set[str]) -> Iterator[ConfigError]:
    """Certificates and keys that cannot be loaded, or do not belong together."""
    for holder in (config.main, *config.transports.values()):
        certificate, key = (_constant(holder, name) for name in ("tls_certificate", "tls_privatekey"))
        if certificate is None or not certificate.startswith("/") or (key is None and holder.is_set("tls_privatekey")):
            continue
        pairs = zip(split(certificate), split(key) if key else split(certificate), strict=False)
        for one, other in pairs:
            if {one, other} & told or not (os.access(one, os.R_OK) and os.access(other, os.R_OK)):
                continue
            why = _does_not_load(one, other)
            if why:
                place = holder.given["tls_privatekey" if key and why[1] else "tls_certificate"].place
                yield ConfigError(why[0], place)


def _constant(holder: Any, name: str) -> str | None:
    if not holder.is_set(name):
        return None
    value = getattr(holder, name)
    constant: str | None = value.constant if value is not None else None
    return constant or None


def _does_not_load(certificate: str, key: str) -> tuple[str, bool] | None:
    """Why not, and whether it is for the key's sake."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    with open(certificate, "rb") as file:
        chain = file.read(1 << 20)
    with open(key, "rb") as file:
        secret = file.read(1 << 20)
    try:
        public = x509.load_pem_x509_certificate(chain).public_key()
    except ValueError:
        return f"{certificate} has no certificate in PEM form", False
    try:
        private = load_pem_private_key(secret, None)
    except (ValueError, TypeError):
        return f"{key} has no private key in PEM form, or one with a passphrase", True
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != public.public_bytes(*form):
        return f"the key in {key} is not that of the certificate in {certificate}", True
    return None
