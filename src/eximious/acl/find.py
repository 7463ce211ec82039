"""Finding the ACL that a string means: its name, a file, or its text. (Exim specification, "Finding an ACL to use".)"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from eximious.acl.compiled import Acl
from eximious.acl.parse import parse
from eximious.acl.verdict import AclError
from eximious.config.lines import Line, Piece
from eximious.errors import ConfigError
from eximious.logs.printing import printing
from eximious.octets import SPACE
from eximious.taint import is_tainted

if TYPE_CHECKING:
    from eximious.context import Context

MAX_TEXTS: Final = 500  # inline ACLs and files that are kept compiled


def find(text: str, context: Context) -> Acl:
    """The compiled ACL. Raises AclError if there is none or it cannot be read."""
    config = context.config
    acl = config.acls.get(text)
    if acl is not None:
        found: Acl = acl
        return found
    stripped = text.strip(SPACE)
    if stripped in config.acls:  # what the client says may choose among the configuration's ACLs
        named: Acl = config.acls[stripped]
        return named
    if is_tainted(text):  # as it came: what str.strip gives is not tainted any more
        context.services.logs.panic(f'attempt to use tainted ACL text "{printing(text)}"', context.message.id)
        raise AclError("internal configuration error")
    text = stripped
    kept: dict[str, Acl] = config.acl_texts
    if text.startswith("/"):
        return _file(text, kept)
    acl = kept.get(text)
    if acl is None:
        acl = _compile("", _lines(text.split("\n"), ""))
        _keep(kept, text, acl)
    return acl


def _file(path: str, kept: dict[str, Acl]) -> Acl:
    """The ACL in a file, read again when the file has changed."""
    try:
        with open(path, encoding="latin-1") as file:
            status = os.fstat(file.fileno())
            key = f"{path}\0{status.st_ino}\0{status.st_mtime_ns}\0{status.st_size}"
            acl = kept.get(key)
            if acl is not None:
                return acl
            lines = file.read().split("\n")
    except OSError as error:
        raise AclError(f'failed to open ACL file "{path}": {error.strerror}') from error
    acl = _compile(path, _lines(lines, path))
    _keep(kept, key, acl)
    return acl


def _keep(kept: dict[str, Acl], key: str, acl: Acl) -> None:
    if len(kept) >= MAX_TEXTS:
        kept.clear()
    kept[key] = acl


def _compile(name: str, lines: list[Line]) -> Acl:
    faults: list[ConfigError] = []
    acl = parse(name, lines, faults)
    if faults:
        raise AclError(faults[0].message)
    return acl


def _lines(physical: list[str], file: str) -> list[Line]:
    """Logical lines: continued with a backslash, without comments and empty lines."""
    lines: list[Line] = []
    text = ""
    pieces: list[Piece] = []
    for number, part in enumerate(physical, 1):
        stripped = part.strip(SPACE)
        if stripped.startswith("#"):
            continue  # also in the middle of a continued line
        if not stripped:
            if text:
                lines.append(Line(text.rstrip(SPACE), pieces, number))
                text, pieces = "", []
            continue
        pieces.append(Piece(len(text), file, number, part, len(part) - len(part.lstrip(SPACE))))
        is_continued = stripped.endswith("\\")
        text += stripped[:-1] if is_continued else stripped
        if not is_continued:
            lines.append(Line(text.rstrip(SPACE), pieces, number))
            text, pieces = "", []
    if text:
        lines.append(Line(text.rstrip(SPACE), pieces, len(physical)))
    return lines
