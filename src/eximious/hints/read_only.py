"""Looking at hints that one may read and not write: for utilities that a member of the mail group calls."""

from __future__ import annotations

import os
from typing import Any

from eximious.hints.lmdb_hints import FILE, MAX_DATABASES, LmdbHints, _lmdb
from eximious.hints.store import HintsError


class ReadOnlyHints(LmdbHints):
    """The hints of one spool directory as they are now. Takes no locks: what is written meanwhile may look broken."""

    def _open(self) -> Any:
        if self._environment is None:
            path = f"{self.directory}/{FILE}"
            self._environment = _lmdb().open(path, subdir=False, readonly=True, lock=False, max_dbs=MAX_DATABASES)
            self._pid = os.getpid()
        return self._environment

    def _begin_anew(self, why: str) -> None:
        raise HintsError(why.removesuffix(": begun anew"))
