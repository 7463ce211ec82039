"""The ACL modifier ``logwrite``: a line for the logs, now."""

from __future__ import annotations

from eximious.acl.declare import TEXT, modifier
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE

LOGS = ("main", "reject", "panic")


@modifier("logwrite", TEXT, EVERYWHERE)
def logwrite(text: str, run: Run) -> None:
    """The line may begin with names of logs between colons: ``:main,reject: text``."""
    logs = run.context.services.logs
    targets = ["main"]
    if text.startswith(":"):
        names, colon, rest = text[1:].partition(":")
        if names:
            targets = names.split(",")
        if not colon or not all(name in LOGS for name in targets):
            logs.panic(f'unknown log name in "{text}" in "logwrite" in {run.where} ACL')
            return
        text = rest
    shown = "\t".join(logs.fields.printing(part) for part in text.lstrip().split("\t"))
    logs.write(targets, shown, run.context.message.id)
