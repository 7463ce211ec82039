"""Mail authentication beside dkimpy and pyspf: operations in a second of CPU time, DNS answered from memory.

Each figure is the best of several rounds in which ours and theirs take turns, so that a busy machine harms both alike.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import dkim as dkimpy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from eximious.mailauth import arc, dkim, spf
from eximious.mailauth.dkim.key import parse as parse_key
from eximious.mailauth.resolver import StaticResolver

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import spf as pyspf

RSA = dkim.PrivateKey(generate_private_key(65537, 2048))
ED25519 = dkim.PrivateKey(Ed25519PrivateKey.generate())
HEADER = b"""From: Joe <joe@example.org>
To: jane@example.com
Subject: a subject  of some\tlength
Date: Thu, 14 Jan 2015 15:00:01 -0800
Message-ID: <54B84785.1060301@example.org>
MIME-Version: 1.0
Content-Type: text/plain
Received: from a by b;
\tThu, 14 Jan 2015 15:00:01 -0800

""".replace(b"\n", b"\r\n")
ZONE: dict[str, Any] = {
    "rsa._domainkey.example.org": {"TXT": [RSA.record()]},
    "ed._domainkey.example.org": {"TXT": [ED25519.record()]},
    "ip4.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    "inc.example": {"TXT": ["v=spf1 " + " ".join(f"include:a{n}.example" for n in range(4)) + " -all"]},
    **{f"a{n}.example": {"TXT": [f"v=spf1 ip4:198.51.{n}.0/24 ip4:203.0.{n}.0/24 -all"]} for n in range(3)},
    "a3.example": {"TXT": ["v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/24 -all"]},
}
RESOLVER = StaticResolver(ZONE)


def message(size: int) -> bytes:
    """A text of words, of about that many octets."""
    chance = random.Random(1)
    words = [bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=chance.randrange(2, 10))) for _ in range(500)]
    text = HEADER
    while len(text) < size:
        text += b" ".join(chance.choices(words, k=11)) + b"\r\n"
    return text


def key_of(name: bytes, timeout: int = 5) -> bytes:
    """What dkimpy asks."""
    return (RSA if name.startswith(b"rsa.") else ED25519).record().encode()


def records_of(name: str, qtype: str, *_: Any, **__: Any) -> Iterator[Any]:
    """What pyspf asks."""
    for data in ZONE.get(name.lower(), {}).get(qtype, ()):
        yield (name, qtype), (data.encode(),) if qtype == "TXT" else data


async def compare(
    name: str, ours: Callable[[], Awaitable[Any]], theirs: Callable[[], Any], count: int, aim: float
) -> None:
    """Print both, and their ratio beside what it is to be."""
    best = [float("inf")] * 2
    for _ in range(7):
        began = time.process_time()
        for _ in range(count * 4):
            await ours()
        best[0] = min(best[0], (time.process_time() - began) / (count * 4))
        began = time.process_time()
        for _ in range(count):
            theirs()
        best[1] = min(best[1], (time.process_time() - began) / count)
    RESOLVER.asked.clear()
    ratio = best[1] / best[0]
    print(f"{name:26} {1 / best[0]:9,.0f} {1 / best[1]:9,.0f} {ratio:7.1f} {aim:7.1f}", flush=True)


def sealed(hops: int) -> bytes:
    """A message that so many hosts sealed."""
    text = message(4096)
    for number in range(hops):
        state = b"pass" if number else b"none"
        text = b"Authentication-Results: example.org; arc=" + state + b"; spf=pass\r\n" + text
        text = arc.seal(text, arc.Sealer("example.org", "rsa", RSA, authserv_id="example.org"))
    return text


def floor(count: int) -> None:
    """Print what the bare verification of a signature costs, which no verifier goes below."""
    data = bytes(32)
    for label, key in (("  bare RSA-2048", RSA), ("  bare Ed25519", ED25519)):
        signature, record = key.sign(data, data, "sha256"), parse_key(key.record())
        best = min(_seconds(lambda: record.verify(signature, data, data, "sha256"), count * 4) for _ in range(7))  # noqa: B023
        print(f"{label:26} {1 / best:9,.0f}")


def _seconds(function: Callable[[], Any], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        function()
    return (time.process_time() - began) / count


def suffix_list() -> None:
    """Print how long the public suffix list takes, with everything that has to be imported for it."""
    code = (
        "from time import process_time as now; begin = now(); from eximious.mailauth import dmarc; imported = now();"
    )
    code += "dmarc.SuffixList().is_public_suffix('example.org'); print(imported - begin, now() - imported)"
    found = [subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout for _ in range(5)]
    importing, loading = min(([float(one) * 1000 for one in line.split()] for line in found), key=sum)
    print(f"public suffix list: {loading:.0f} ms, and {importing:.0f} ms for importing dmarc; aim: 50 in all")


async def run(count: int) -> None:
    """All comparisons."""
    print(f"{'':26} {'ours':>9} {'theirs':>9} {'ratio':>7} {'aim':>7}")
    for label, size, selector, key, aim in (
        ("DKIM RSA-2048 4 KB", 4096, "rsa", RSA, 6.0),
        ("DKIM Ed25519 4 KB", 4096, "ed", ED25519, 6.0),
        ("DKIM RSA-2048 100 KB", 100_000, "rsa", RSA, 12.0),
    ):
        signed = dkim.sign(message(size), dkim.Signer("example.org", selector, key))
        assert (await dkim.verify(signed, RESOLVER))[0].result is dkim.Result.PASS
        assert dkimpy.verify(signed, dnsfunc=key_of)
        times = count if size < 10_000 else count // 8 + 1
        await compare(
            label,
            lambda signed=signed: dkim.verify(signed, RESOLVER),  # type: ignore[misc]
            lambda signed=signed: dkimpy.verify(signed, dnsfunc=key_of),  # type: ignore[misc]
            times,
            aim,
        )
    for hops in (1, 3):
        text = sealed(hops)
        assert dkimpy.arc_verify(text, dnsfunc=key_of)[0] == dkimpy.CV_Pass
        assert (await arc.validate(text, RESOLVER)).result is arc.ChainResult.PASS
        await compare(
            f"ARC {hops} set(s) 4 KB",
            lambda text=text: arc.validate(text, RESOLVER),  # type: ignore[misc]
            lambda text=text: dkimpy.arc_verify(text, dnsfunc=key_of),  # type: ignore[misc]
            count // 2 + 1,
            8.0,
        )
    floor(count)
    pyspf.DNSLookup = records_of
    for label, domain, aim in (("SPF ip4", "ip4.example", 2.0), ("SPF four includes", "inc.example", 4.0)):
        await compare(
            label,
            lambda domain=domain: spf.check_mail_from("192.0.2.9", f"a@{domain}", "h.example", resolver=RESOLVER),  # type: ignore[misc]
            lambda domain=domain: pyspf.check2(i="192.0.2.9", s=f"a@{domain}", h="h.example"),  # type: ignore[misc]
            count * 5,
            aim,
        )


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60, help="operations of theirs in a round")
    asyncio.run(run(parser.parse_args().count))
    suffix_list()


if __name__ == "__main__":
    main()
