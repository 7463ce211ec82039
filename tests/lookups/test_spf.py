from __future__ import annotations

import pytest

from eximious.errors import Defer, EximiousError
from tests.expand.context import make_context

ZONE = """
pass.example TXT "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"
again.example AGAIN
"""


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("${lookup {joe@pass.example} spf {192.0.2.1}}", "pass"),
        ("${lookup {joe@pass.example} spf {2001:db8::1}}", "pass"),
        ("${lookup {joe@pass.example} spf {198.51.100.1}}", "fail"),
        ("${lookup {joe@none.example} spf {192.0.2.1}}", "none"),
        ("${lookup {joe@again.example} spf {192.0.2.1}}", "temperror"),
        ("${lookup {joe@pass.example} spf {mail.example}}", Defer),
    ],
)
def test_lookup(query: str, result: str | type[EximiousError]) -> None:
    from eximious.expand.template import expand

    context = make_context(zone=ZONE)
    if isinstance(result, str):
        assert expand(query, context) == result
    else:
        with pytest.raises(result, match="IP address"):
            expand(query, context)
