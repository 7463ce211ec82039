"""The mail server's own resolver, as the library wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.dns.answer import Status
from eximious.mailauth.resolver import NO_DATA, NO_SUCH_NAME, Answer, Outcome

if TYPE_CHECKING:
    from eximious.dns.answer import Answer as ProgramAnswer
    from eximious.dns.resolver import Resolver as ProgramAsker

_ABSENT: Final = {Status.NODATA: NO_DATA, Status.NOMATCH: NO_SUCH_NAME}


class ProgramResolver:
    """Asks an `eximious.dns.resolver.Resolver`, whose cache gives equal answers as the same object."""

    __slots__ = ("_resolver",)

    def __init__(self, resolver: ProgramAsker) -> None:
        self._resolver = resolver

    async def query(self, name: str, type: str) -> Answer:
        """The records of one type."""
        resolver = self._resolver
        found = resolver.cached(name, type)
        if found is None:
            # The names of keys and policies have underscores, which dns_check_names_pattern may forbid.
            found = await resolver.query_async(name, type, check=False)
        return _answer(found, type)


def _answer(found: ProgramAnswer, type: str) -> Answer:
    absent = _ABSENT.get(found.status)
    if absent is not None:
        return absent
    made = found.memo
    if made is None:
        if found.status is Status.FOUND:
            data = tuple(_data(type, record.data) for record in found.records)
            made = Answer(Outcome.FOUND, data, is_secure=found.is_secure)
        else:
            made = Answer(Outcome.FAILED, why=found.why or found.status.value)
        found.memo = made
    assert isinstance(made, Answer)
    return made


def _data(type: str, data: Any) -> Any:
    match type:
        case "TXT":
            return b"".join(data)
        case "MX":
            return int(data[0]), str(data[1])
        case _:
            return str(data)
