"""Calling ``exim`` from a utility."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def find(given: str = "") -> str:
    """The program: the one that was named, or the one beside this utility, or wherever the system has it."""
    if given:
        return given
    beside = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "exim")
    return beside if os.access(beside, os.X_OK) else shutil.which("exim") or "exim"


def output(words: list[str], text: str = "") -> str:
    """What a command writes; its complaints go where ours do."""
    done = subprocess.run(
        [word.encode("latin-1") for word in words],
        input=text.encode("latin-1"),
        stdout=subprocess.PIPE,
        check=False,
    )
    return done.stdout.decode("latin-1")
