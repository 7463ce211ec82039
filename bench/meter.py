"""CPU time of a whole process tree, whoever its parents are: the kernel keeps it for a control group.

Adding up /proc would lose what a server's children used when nobody waits for them (Exim ignores their end).
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path


class ControlGroup:
    """A cgroup (version 2) for one server; a process that enters it stays there with all that it starts."""

    def __init__(self, name: str) -> None:
        mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
        root = next((Path(words[1]) for words in mounts if words[2] == "cgroup2"), None)
        if root is None:
            raise SystemExit("no cgroup2 file system is mounted: CPU time of process trees cannot be measured")
        self.folder = root / f"eximious-bench-{os.getpid()}-{name}"
        self.folder.mkdir()

    def enter(self) -> None:
        """Move the calling process into the group."""
        (self.folder / "cgroup.procs").write_text("0")

    def seconds(self) -> float:
        """CPU seconds used by everything that is or was in the group."""
        fields = dict(line.split() for line in (self.folder / "cpu.stat").read_text().splitlines())
        return int(fields["usage_usec"]) / 1e6

    def end(self) -> None:
        """End what is left in the group, and remove it."""
        for _ in range(200):
            pids = (self.folder / "cgroup.procs").read_text().split()
            if not pids:
                break
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), 9)
            time.sleep(0.02)
        self.folder.rmdir()
