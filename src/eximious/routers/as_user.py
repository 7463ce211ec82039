"""What a router does as the user whose mail it routes: reading a forward file, running a filter."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from eximious.routers.local_groups import groups_of
from eximious.transports.job import COMMAND, Ended, Identity, Job, own_identity
from eximious.waiting import in_thread

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context


def run_as_user(kind: str, arguments: dict[str, Any], address: Address, context: Context) -> Ended | None:
    """Have a job done as the address's user; None if this process is to do it itself.

    That is so where no user is known, where the user is root (as whom no job is ever done), or where there is nobody to
    do jobs: in a process that can only be who it is.
    """
    local = context.services.local
    if local is None or address.uid is None or address.gid is None or address.uid == 0:
        return None
    if address.uid == os.geteuid() and address.gid == os.getegid():
        return None
    groups = groups_of(address.uid, address.gid) if address.initgroups else (address.gid,)
    ended: Ended = local.run(Job(kind, Identity(address.uid, address.gid, groups), arguments))
    return ended


def run_command_as_user(
    argv: list[str],
    uid: int,
    gid: int,
    directory: str,
    timeout: float,
    most_output: int,
    context: Context,
) -> dict[str, Any] | str:
    """Run a command as a user, or as this process's own where it cannot become anybody.

    Gives ``status``, ``timed_out`` and ``output`` (see `eximious.transports.jobs.command`), or why it could not be run.
    """
    arguments: dict[str, Any] = {
        "argv": argv,
        "environment": {},
        "timeout": timeout,
        "max_output": most_output,
        "permit_coredump": False,
    }
    local = context.services.local
    if local is not None and uid != 0 and (os.geteuid() == 0 or uid != os.geteuid()) and local.can_become(uid, gid):
        job = Job(COMMAND, Identity(uid, gid, (gid,)), arguments, directory=directory)
        ended: Ended = local.run(job)
    else:
        ended = in_thread(_run_here, Job(COMMAND, own_identity(), arguments, directory=directory))
    return ended.values if "status" in ended.values else ended.message


def _run_here(job: Job) -> Ended:
    from eximious.transports.jobs.command import perform

    return perform(job)
