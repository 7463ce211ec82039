"""How fast the language is, beside Debian's Exim (scripts/reference exim) where that is installed.

    python bench/language.py [--lines N] [--keys N] [--reference FOLDER] [lines|search|load ...]

lines   ``exim -be`` reads lines, each with a condition, an lsearch lookup in 10,000 lines, a regular expression
search  one lookup in an lsearch file of a million lines, and what further ones cost
load    a configuration of 2,000 routers and 5,000 named lists is read and checked (Exim permits 32 lists of a kind)

Times are seconds of the clock, the best of three; "CPU" is what the process used.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TABLE_LINES = 10_000
ROUTERS, LISTS = 2_000, 5_000
RUNS = 3
FURTHER = {"Eximious": (10, 2_000, 12_000), "Exim": (10,)}  # how many lookups after the first are timed

# One line of the first task: every lookup is for another key, so that no cache of answers helps.
LINE = (
    "${{if and{{{{eq{{user{0}}}{{user{0}}}}}{{match{{user{0}@host.example}}{{\\N^(user\\d+)@([a-z.]+)$\\N}}}}}}"
    "{{${{lookup{{user{1}}}lsearch{{TABLE}}{{$1 $value}}{{none}}}}}}{{no}}}}"
)


class Program:
    """A program that understands ``-C FILE -be``. `base` is a folder of its, `inside` its name there."""

    def __init__(self, name: str, command: list[str], base: Path, inside: Path) -> None:
        self.name = name
        self.command = command
        self.base = base
        self.inside = inside

    def time(self, configuration: str, *arguments: str, stdin: bytes = b"") -> tuple[float, float, bytes]:
        """Best time of the clock, its CPU time, and the output."""
        (self.base / "exim.conf").write_text(configuration)
        feed = self.base / "lines"
        feed.write_bytes(stdin)
        best = (float("inf"), 0.0, b"")
        for _ in range(RUNS):
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            begun = time.perf_counter()
            with feed.open("rb") as lines:
                done = subprocess.run(
                    [*self.command, "-C", str(self.inside / "exim.conf"), *arguments],
                    stdin=lines, capture_output=True, check=True,
                )  # fmt: skip
            elapsed = time.perf_counter() - begun
            now = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
            best = min(best, (elapsed, cpu, done.stdout))
        return best


def programs(base: Path, reference: Path | None) -> list[Program]:
    """Ours, and Exim if it is there."""
    exim = shutil.which("exim", path=os.environ.get("EXIMIOUS_BIN", str(Path(sys.executable).parent))) or "exim"
    found = [Program("Eximious", [exim], base, base)]
    if reference is not None and (reference / "usr/sbin/exim4").exists():
        folder = reference / "bench-language"
        folder.mkdir(exist_ok=True)
        found.append(Program("Exim", ["chroot", str(reference), "/usr/sbin/exim4"], folder, Path("/bench-language")))
    return found


def report(name: str, what: str, elapsed: float, cpu: float) -> None:
    print(f"  {name:10} {what:45} {elapsed:10.6f} s   CPU {cpu:10.6f} s", flush=True)


def lines(found: list[Program], count: int) -> None:
    print(f"{count:,} lines: a condition, a lookup in {TABLE_LINES:,} lines, a regular expression")
    outputs = []
    for program in found:
        table = program.inside / "table"
        (program.base / "table").write_text("".join(f"user{n}: value of {n}\n" for n in range(TABLE_LINES)))
        text = "".join(LINE.format(n, n * 7919 % TABLE_LINES) + "\n" for n in range(count))
        feed = text.replace("TABLE", str(table)).encode()
        elapsed, cpu, output = program.time("primary_hostname = bench.example\n", "-be", stdin=feed)
        report(program.name, f"{elapsed / count * 1e6:.1f} microseconds a line", elapsed, cpu)
        outputs.append(output)
    if len(set(outputs)) > 1:
        raise SystemExit("the outputs differ")


def search(found: list[Program], keys: int) -> None:
    print(f"lsearch in a file of {keys:,} lines, the last key")
    for program in found:
        table = program.inside / "large"
        (program.base / "large").write_text("".join(f"user{n}: value of {n}\n" for n in range(keys)))
        configuration = "primary_hostname = bench.example\n"

        def query(number: int, table: Path = table) -> str:
            return f"${{lookup{{user{number}}}lsearch{{{table}}}}}\n"

        nothing = program.time(configuration, "-be", stdin=b"x\n")
        first = program.time(configuration, "-be", stdin=query(keys - 1).encode())
        report(program.name, "the first lookup", first[0] - nothing[0], first[1] - nothing[1])
        times = {}
        for count in FURTHER[program.name]:
            more = "".join(query(keys - 1 - n) for n in range(count + 1))
            times[count] = program.time(configuration, "-be", stdin=more.encode())
            elapsed, cpu = times[count][0] - first[0], times[count][1] - first[1]
            report(program.name, f"{count:,} further ones, each", elapsed / count, cpu / count)
        if len(times) > 1:
            few, many = list(times)[-2:]
            spent = [(times[many][n] - times[few][n]) / (many - few) for n in (0, 1)]
            report(program.name, "those after the first 2,000, each", *spent)
        (program.base / "large").unlink()


def configuration() -> str:
    """Many named lists, and routers that use them."""
    kinds = ("domainlist", "hostlist", "addresslist", "localpartlist")
    parts = ["primary_hostname = bench.example\n"]
    for n in range(LISTS):
        items = (
            "192.0.2.0/24 : 198.51.100.7"
            if n % 4 == 1
            else f"a{n}.example : *.b{n}.example : ${{if eq{{$domain}}{{x}}{{y}}}}"
        )
        parts.append(f"{kinds[n % 4]} list{n} = {items}\n")
    parts.append("begin routers\n")
    for n in range(ROUTERS):
        parts.append(
            f"router{n}:\n  driver = redirect\n  domains = +list{n * 4 % LISTS}\n"
            f"  condition = ${{if eq{{$sender_address_domain}}{{a{n}.example}}{{yes}}{{no}}}}\n"
            f"  data = ${{lookup{{$local_part}}lsearch{{/etc/aliases.{n}}}{{$value}}fail}}\n"
        )
    return "".join(parts)


def load(found: list[Program], _: int) -> None:
    print(f"a configuration of {ROUTERS:,} routers and {LISTS:,} named lists")
    elapsed, cpu, _output = found[0].time(configuration(), "-bV")
    report("Eximious", "read (exim -bV)", elapsed, cpu)
    check = Path(found[0].command[0]).with_name("eximious")
    if check.exists():
        begun = time.perf_counter()
        subprocess.run([check, "check", found[0].base / "exim.conf"], capture_output=True, check=False)
        report("Eximious", "every string compiled (eximious check)", time.perf_counter() - begun, 0.0)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lines", type=int, default=100_000)
    options.add_argument("--keys", type=int, default=1_000_000)
    options.add_argument("--reference", type=Path, help="folder with Debian's Exim")
    options.add_argument("tasks", nargs="*")
    chosen = options.parse_args()
    tasks = {"lines": (lines, chosen.lines), "search": (search, chosen.keys), "load": (load, 0)}
    with tempfile.TemporaryDirectory() as folder:
        found = programs(Path(folder), chosen.reference)
        for name in chosen.tasks or tasks:
            function, size = tasks[name]
            function(found, size)


if __name__ == "__main__":
    main()
