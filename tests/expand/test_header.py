"""Header lines in strings, as Exim gives them for the same message."""

from __future__ import annotations

import pytest

from eximious.context import Context
from eximious.expand.template import compile
from eximious.spool.message import DELETED, Header
from eximious.taint import is_tainted
from tests.expand.context import answer, make_context

HEADERS = [
    "From: =?iso-8859-1?q?J=F6rg?= <joerg@a.example>,\n  second@b.example\n",
    "To: one@c.example\n",
    "To: two@c.example, three@d.example\n",
    "Cc:\n",
    "Subject:   =?utf-8?b?w6R0?= =?utf-8?q?=20x?= plain  \n",
    "X-A: one\n",
    "X-A:  two : x\n",
    "X-Fold: a\n\tb\n   c\n",
    "X-Empty:\n",
    "x-a: three\n",
    "Reply-To: <r@e.example>,\n  other@e.example\n",
]

VALUES = [
    ("$h_from:", "J\xc3\xb6rg <joerg@a.example>,\n  second@b.example"),
    ("$rh_from:", " =?iso-8859-1?q?J=F6rg?= <joerg@a.example>,\n  second@b.example\n"),
    ("$bh_from:", "J\xf6rg <joerg@a.example>,\n  second@b.example"),
    ("$lh_from:", " =?iso-8859-1?q?J=F6rg?= <joerg@a.example>,\n  second@b.example"),
    ("$h_to:", "one@c.example,\ntwo@c.example, three@d.example"),
    ("$header_to:", "one@c.example,\ntwo@c.example, three@d.example"),
    ("$rh_to:", " one@c.example\n two@c.example, three@d.example\n"),
    ("$lh_to:", " one@c.example: two@c.example, three@d.example"),
    ("$h_cc:", ""),
    ("$h_subject:", "\xc3\xa4t x plain"),
    ("$lh_subject:", "   =?utf-8?b?w6R0?= =?utf-8?q?=20x?= plain  "),
    ("$h_x-a:", "one\ntwo : x\nthree"),
    ("$lheader_x-a:", " one:  two :: x: three"),
    ("$h_x-fold:", "a\n\tb\n   c"),
    ("$h_none:", ""),
    ("$h_x-a end", "one\ntwo : x\nthree end"),
    ("$reply_address", "<r@e.example>,   other@e.example"),
    ("${if def:h_cc:{y}{n}}", "y"),
    ("${if def:h_x-empty:{y}{n}}", "y"),
    ("${if def:header_none:{y}{n}}", "n"),
    ("${addresses:$h_to:}", "one@c.example:two@c.example:three@d.example"),
    ("${address:$rh_reply-to:}", ""),
]


def context_with_headers() -> Context:
    context = make_context()
    context.message.headers = [Header(text) for text in HEADERS]
    return context


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_value(text: str, expected: str) -> None:
    assert answer(text, context_with_headers()) == expected


def test_a_deleted_header_is_not_there() -> None:
    context = context_with_headers()
    context.message.headers[1].kind = DELETED
    assert answer("$h_to:", context) == "two@c.example, three@d.example"


def test_headers_are_tainted() -> None:
    assert is_tainted(compile("$h_to:").expand(context_with_headers()))


def test_all_headers() -> None:
    context = make_context()
    context.message.headers = [Header("A: =?iso-8859-1?q?=F6?=  \n"), Header("B: x \n  y\n")]
    assert answer("$message_headers", context) == "A: \xf6\nB: x \n  y"
    assert answer("$message_headers_raw", context) == "A: =?iso-8859-1?q?=F6?=  \nB: x \n  y\n"
