from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.dkim.layout import laid_out

BEGIN = [("v", "1"), ("a", "rsa-sha256"), ("q", "dns/txt"), ("c", "relaxed/relaxed"), ("d", "example.com.au")]
LAYOUTS = [
    ([("v", "1")], "DKIM-Signature: v=1;"),
    (
        [*BEGIN, ("s", "sel"), ("bh", "A" * 44), ("b", "B" * 172)],
        "DKIM-Signature: v=1; a=rsa-sha256; q=dns/txt; c=relaxed/relaxed;\r\n"
        "\td=example.com.au; s=sel; bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; b=B\r\n"
        "\t" + "B" * 77 + "\r\n\t" + "B" * 77 + "\r\n\t" + "B" * 17 + ";",
    ),
    (
        [("h", ":".join(["Content-Type"] * 7))],
        "DKIM-Signature: h=" + "Content-Type:" * 4 + "\r\n\t" + "Content-Type:" * 2 + "Content-Type;",
    ),
]


@pytest.mark.parametrize(("tags", "text"), LAYOUTS)
def test_layout(tags: list[tuple[str, str]], text: str) -> None:
    found = laid_out("DKIM-Signature", tags)
    assert [line.rstrip() for line in found.split("\r\n")] == [line.rstrip() for line in text.split("\r\n")]


@given(st.lists(st.tuples(st.sampled_from("vadsbh"), st.text("abc", min_size=1, max_size=200)), max_size=8))
def test_nothing_is_lost(tags: list[tuple[str, str]]) -> None:
    found = laid_out("X", tags)
    assert "".join(found.split()) == "X:" + "".join(f"{name}={value};" for name, value in tags)
    longest = max([78, *(len(name) + len(value) + 2 for name, value in tags if name not in ("b", "bh"))])
    assert all(len(line) <= longest for line in found.split("\r\n"))


def test_a_value_that_just_does_not_fit() -> None:
    """Less than a line, but more than what is left of this one."""
    found = laid_out("X", [("a", "x" * 60), ("b", "y" * 76)])
    assert "".join(found.split()) == "X:a=" + "x" * 60 + ";b=" + "y" * 76 + ";"
    assert all(len(line) <= 78 for line in found.split("\r\n"))
