"""Eximious beside Exim and Postfix: messages a second, and CPU milliseconds a message of the whole process tree.

    scripts/bench                         every task, every server
    scripts/bench --tasks relay --servers Eximious --messages 2000

Servers take turns within each round, so that a machine whose speed drifts does not favour one. The clock stops when the
server's own log says that the last message is done with. Medians of the rounds are printed; --json keeps everything.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from servers import Exim, Eximious, Postfix, Server, wait_for_port

HERE = Path(__file__).parent
# task as shown: (what the server does, messages a connection)
TASKS = {"discard": ("discard", 1), "discard-100": ("discard", 100), "relay": ("relay", 1), "maildir": ("maildir", 1)}

ALL = ["Eximious", "Exim", "Postfix"]


def measure(server: Server, per_connection: int, messages: int) -> dict[str, float]:
    """Start the server, warm it up, load it, wait until all is done; gives rate and cost."""
    sink = subprocess.Popen(
        [sys.executable, HERE / "sink.py", "--port", str(server.sink_port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    server.prepare()
    server.start()
    try:
        wait_for_port(server.port)
        run_load(server, per_connection, 50)
        finish(server, 50)
        used = server.group.seconds()
        begin = time.monotonic()
        result = run_load(server, per_connection, messages)
        if result["refused"]:
            raise SystemExit(f"{server.name} refused messages: {result['first_refusals']}")
        finish(server, 50 + messages)
        elapsed = time.monotonic() - begin
        used = server.group.seconds() - used
    finally:
        server.stop()
        assert sink.stdin is not None
        sink.stdin.close()
        sink.wait(timeout=10)
    return {"rate": messages / elapsed, "cpu_ms": used / messages * 1000}


def run_load(server: Server, per_connection: int, messages: int) -> dict[str, object]:
    command = [sys.executable, HERE / "load.py", "--port", str(server.port), "--messages", str(messages)]
    command += ["--per-connection", str(per_connection)]
    return dict(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=300).stdout))


def finish(server: Server, total: int, seconds: float = 60.0) -> None:
    """Wait until the server's log shows so many finished messages."""
    end = time.monotonic() + seconds
    while server.completed() < total:
        if time.monotonic() > end:
            raise SystemExit(f"{server.name} finished {server.completed()} of {total} messages in {seconds:.0f} s")
        time.sleep(0.02)


def make(name: str, reference: Path, task: str) -> Server:
    match name:
        case "Eximious":
            return Eximious(reference / "eximious", task, 2651, 2652)
        case "Exim":
            return Exim(reference / "exim", task, 2653, 2654)
        case _:
            return Postfix(reference / "postfix", task, 2655, 2656)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--servers", nargs="+", choices=ALL, default=ALL)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reference", type=Path, default=Path("/var/cache/eximious"))
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    if os.getuid() != 0:
        raise SystemExit("the servers change users: run this as root")
    results: dict[str, dict[str, list[dict[str, float]]]] = {}
    print(f"{'task':12} {'server':10} {'messages/s':>10} {'CPU ms':>8}   (medians of {arguments.rounds} rounds)")
    for name in arguments.tasks:
        task, per_connection = TASKS[name]
        found: dict[str, list[dict[str, float]]] = {server: [] for server in arguments.servers}
        for _ in range(arguments.rounds):
            for server_name in arguments.servers:
                server = make(server_name, arguments.reference, task)
                found[server_name].append(measure(server, per_connection, arguments.messages))
        results[name] = found
        for server_name, rounds in found.items():
            rate = statistics.median(each["rate"] for each in rounds)
            cpu = statistics.median(each["cpu_ms"] for each in rounds)
            print(f"{name:12} {server_name:10} {rate:10.0f} {cpu:8.2f}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
