"""Who called this process: ordinary user, trusted user, administrator, root.

Exim specification, "Trusted and admin users".
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.config.main import MainOptions

ROOT = 0


class Caller:
    """The person or process on whose behalf this process runs, as the kernel knows them."""

    __slots__ = ("effective_uid", "gid", "groups", "is_admin", "is_trusted", "uid")

    def __init__(self, uid: int, gid: int, groups: frozenset[int], effective_uid: int) -> None:
        self.uid = uid
        self.gid = gid
        self.groups = groups  # supplementary
        self.effective_uid = effective_uid  # root's for a process started through a set-user-id wrapper
        self.is_admin = uid == ROOT  # may look at and change the queue; final once the configuration is known
        self.is_trusted = uid == ROOT  # may say who sent a message; final once the configuration is known

    @property
    def has_root(self) -> bool:
        """True if the process could act as any user when it started."""
        return self.effective_uid == ROOT

    def learn(self, main: MainOptions) -> None:
        """Find out what the configuration lets the caller do."""
        is_exim = self.uid in (ROOT, main.exim_user)
        every_group = self.groups | {self.gid}
        self.is_admin = is_exim or bool(every_group & {main.exim_group, *(main.admin_groups or ())})
        self.is_trusted = (
            is_exim or self.uid in (main.trusted_users or ()) or bool(every_group & set(main.trusted_groups or ()))
        )


def caller_of_this_process() -> Caller:
    """From the ids of the process as it was started."""
    return Caller(os.getuid(), os.getgid(), frozenset(os.getgroups()), os.geteuid())
