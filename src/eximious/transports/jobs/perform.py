"""Doing a job, whatever its kind, in a process that is the right user already."""

from __future__ import annotations

import importlib
import os
from typing import Any, Final

from eximious.transports.job import KINDS, Ended, Job
from eximious.transports.outcome import DEFERRED

# Arguments that are file names or parts of them. Their octets travel as latin-1, as all text of the program does.
NAMES: Final = frozenset(
    ("path", "home", "create_file", "quota_directory", "shown_path", "temporary", "file_name", "tag", "base_name")
)


def perform(job: Job) -> Ended:
    """Do the job in its directory, under its umask. The process's own directory and umask are lost."""
    if job.kind not in KINDS:
        return Ended(DEFERRED, f"no such kind of job: {job.kind}")
    try:
        os.chdir(file_name(job.directory))
    except OSError as error:
        return Ended(DEFERRED, f"failed to chdir to {job.directory}", error.errno or 0)
    os.umask(job.umask)
    module = importlib.import_module(f"eximious.transports.jobs.{job.kind}")
    job.arguments = {name: _readable(name, value) for name, value in job.arguments.items()}
    ended: Ended = module.perform(job)
    ended.message = octets(ended.message)
    file = ended.values.get("file")
    if isinstance(file, str):
        ended.values["file"] = octets(file)
    return ended


def _readable(name: str, value: Any) -> Any:
    return file_name(value) if name in NAMES and isinstance(value, str) else value


def file_name(text: str) -> str:
    """A file name as the system's interface wants it, from one that has an octet a character."""
    return os.fsdecode(text.encode("latin-1"))


def octets(text: str) -> str:
    """The reverse."""
    return os.fsencode(text).decode("latin-1")
