"""The arguments that the appendfile transport gives to its jobs, with its defaults."""

from __future__ import annotations

import os
from typing import Any

from eximious.transports.job import Content, Job, own_identity

DEFAULTS: dict[str, Any] = {
    "allow_fifo": False,
    "allow_symlink": False,
    "check_group": False,
    "check_owner": True,
    "create_directory": True,
    "create_file": "anywhere",
    "directory_mode": 0o700,
    "file_format": [],
    "file_must_exist": False,
    "force_mode": False,
    "home": "",
    "lock_fcntl_timeout": 0,
    "lock_flock_timeout": 0,
    "lock_interval": 0.01,
    "lock_retries": 2,
    "lockfile_mode": 0o600,
    "lockfile_timeout": 1800,
    "mailbox_filecount": None,
    "mailbox_size": None,
    "only_looks": False,
    "maildir_quota_directory_regex": r"^(?:cur|new|\..*)$",
    "maildir_retries": 2,
    "maildir_use_size_file": False,
    "make_maildirfolder": False,
    "mbx_format": False,
    "message_size": 10,
    "mode": 0o600,
    "must_be_below": False,
    "mode_fail_narrower": True,
    "primary_hostname": "mx.example",
    "quota": 0,
    "quota_directory": "",
    "quota_filecount": 0,
    "quota_filecount_no_check": False,
    "quota_is_inclusive": True,
    "quota_no_check": False,
    "quota_size_regex": None,
    "tag": "",
    "transport_name": "local_delivery",
    "use_fcntl_lock": True,
    "use_flock_lock": False,
    "use_lockfile": True,
    "use_mbx_lock": False,
    "warn_threshold": 0,
}


def job(kind: str, path: object, content: bytes = b"message\n", **options: Any) -> Job:
    """A job for the user who runs the tests."""
    arguments = DEFAULTS | {"path": str(path), "shown_path": str(path)} | options
    return Job(kind, own_identity(), arguments, Content(content), directory=os.getcwd())
