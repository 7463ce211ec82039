"""A resolver that takes its time, or never answers: every check ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from eximious.mailauth import arc, dkim, dmarc
from eximious.mailauth.explain import explain
from eximious.mailauth.message import split
from eximious.mailauth.resolver import Answer, StaticResolver
from tests.mailauth.keys import ED25519

MESSAGE = b"Authentication-Results: example.org; spf=pass\r\nFrom: joe@example.org\r\n\r\nx\r\n"
SIGNED = dkim.sign(MESSAGE, dkim.Signer("example.org", "s", ED25519), dkim.Signer("example.org", "t", ED25519))
SEALED = arc.seal(MESSAGE, arc.Sealer("example.org", "s", ED25519, authserv_id="example.org"))
POLICY = dkim.Policy(seconds=0.02)
ZONE: dict[str, Any] = {
    "s._domainkey.example.org": {"TXT": [ED25519.record()]},
    "t._domainkey.example.org": {"TXT": [ED25519.record()]},
    "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]},
}


class Slow(StaticResolver):
    """Answers all but some questions after a turn of the loop, and those never."""

    def __init__(self, never: str) -> None:
        super().__init__(ZONE)
        self._never = never

    async def query(self, name: str, type: str) -> Answer:
        await asyncio.sleep(60 if self._never in name else 0)
        return await super().query(name, type)


def test_dkim() -> None:
    first, second = asyncio.run(dkim.verify(SIGNED, Slow("s._domainkey"), policy=POLICY))
    assert (first.fault, second.result) == (dkim.Fault.KEY_UNAVAILABLE, dkim.Result.PASS)
    assert str(first).endswith("the key cannot be asked for now (no answer within 0.02 seconds)")
    first, second = asyncio.run(dkim.verify(SIGNED, Slow("t._domainkey"), policy=POLICY))
    assert (first.result, second.result) == (dkim.Result.PASS, dkim.Result.TEMPERROR)


def test_arc() -> None:
    chain = asyncio.run(arc.validate(SEALED, Slow("_domainkey"), policy=POLICY))
    assert (chain.result, chain.is_temporary) == (arc.ChainResult.FAIL, True)
    assert str(chain) == "fail: the keys cannot be asked for now: no answer within 0.02 seconds"
    assert str(asyncio.run(arc.validate(SEALED, Slow("nothing"), policy=POLICY))).startswith("pass")


def test_arc_ahead() -> None:
    async def run(never: str) -> arc.Chain:
        headers, body = split(SEALED)
        validator = arc.Validator(headers, policy=POLICY)
        await validator.fetch_keys(Slow(never))
        validator.feed(body)
        return await validator.validate(StaticResolver(ZONE))

    assert asyncio.run(run("_domainkey")).is_temporary  # what was too slow once is not asked again
    assert asyncio.run(run("nothing")).result is arc.ChainResult.PASS


@pytest.mark.parametrize("never", ["_dmarc.example.org", "_dmarc.sub"])
def test_dmarc(never: str) -> None:
    checking = dmarc.check("example.org", spf=("sub.example.org", "pass"), resolver=Slow(never), seconds=0.02)
    verdict = asyncio.run(checking)
    assert str(verdict) == "temperror: no result within 0.02 seconds"


def test_alignment_that_cannot_be_known_is_no_failure() -> None:
    resolver = StaticResolver(ZONE | {"_dmarc.sub.example.org": {"TXT": None}})
    verdict = asyncio.run(dmarc.check("example.org", spf=("sub.example.org", "pass"), resolver=resolver))
    assert str(verdict) == "temperror: TXT of _dmarc.sub.example.org: the table says so"
    verdict = asyncio.run(
        dmarc.check("example.org", spf=("sub.example.org", "pass"), dkim=[("example.org", "pass")], resolver=resolver)
    )
    assert verdict.result is dmarc.Result.PASS


def test_a_check_that_is_cancelled_leaves_nothing_behind() -> None:
    async def run() -> None:
        task = asyncio.ensure_future(explain(SIGNED, Slow("_domainkey"), ip="192.0.2.1", sender=""))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
