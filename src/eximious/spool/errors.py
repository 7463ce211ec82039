"""What can go wrong with the spool. A reception turns any of these into a 4xx reply, and nothing is left behind."""

from __future__ import annotations

from eximious.errors import EximiousError


class SpoolError(EximiousError):
    """A spool file could not be written or read: no space, a failing disk, a quota, a missing permission."""


class SpoolFormatError(SpoolError):
    """A spool file does not have the form of one. `where` says which part of it, in a few words."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


def spool_error(what: str, error: OSError) -> SpoolError:
    """The error to raise for a failed system call, in Exim's wording: ``what: reason``."""
    return SpoolError(f"{what}: {error.strerror}")
