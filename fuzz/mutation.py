"""Damage for whatever reads octets: seeds are cut, repeated, spliced and sprinkled with values that parsers dislike."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable

POOL = 500  # inputs that are kept to be damaged further

INTERESTING = [
    b"\0",
    b"\n",
    b"\r\n",
    b"-",
    b" ",
    b"#",
    b",",
    b"\xff",
    b"-1",
    b"0",
    b"99999999999",
    b"%s",
    b"${run",
    b"Y",
    b"N",
]


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """The seed with a few things wrong."""
    data = bytearray(seed)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(data) + 1)
        length = chance.choice((0, 1, 1, 2, 4, 16, chance.randrange(len(data) + 1)))
        match chance.randrange(6):
            case 0:
                del data[at : at + length]
            case 1:
                data[at:at] = chance.choice(INTERESTING)
            case 2:
                data[at:at] = data[at : at + length] * chance.randrange(1, 4)
            case 3:
                data[at : at + length] = chance.randbytes(length)
            case 4:
                other = chance.randrange(len(data) + 1)
                data[at : at + length] = data[other : other + length]
            case _:
                if at < len(data):
                    data[at] ^= 1 << chance.randrange(8)
    return bytes(data[:1_000_000])


def run(description: str | None, seeds: list[bytes], check: Callable[[bytes], bool]) -> None:
    """Call `check` with damaged seeds for as long as asked; it raises if something is not as it must be.

    What it says True to is worth damaging further.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="how long")
    parser.add_argument("--seed", type=int, default=None, help="of the random numbers, to repeat a run")
    options = parser.parse_args()
    number = options.seed if options.seed is not None else random.randrange(2**32)
    chance = random.Random(number)
    print(f"seed {number}", flush=True)
    count = good = 0
    end = time.monotonic() + options.seconds
    pool = list(seeds)
    while time.monotonic() < end:
        data = mutated(chance.choice(pool), chance)
        began = time.monotonic()
        try:
            is_good = check(data)
        except BaseException:
            print(f"failed with {data!r}")
            raise
        if time.monotonic() - began > 1:
            raise SystemExit(f"took {time.monotonic() - began:.1f} seconds: {data!r}")
        count += 1
        good += is_good
        if is_good and chance.random() < 0.05:
            pool.append(data)
            if len(pool) > POOL:
                del pool[chance.randrange(len(seeds), len(pool))]
    print(f"{count} cases, {good} of them readable")
