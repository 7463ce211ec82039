"""What Exim 4.99 makes and takes on 2026-11-24."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.srs import native

DAY = 86_400
NOW = 20_781 * DAY + 3600.0


@pytest.mark.parametrize(
    ("sender", "rewritten"),
    [
        ("user@example.com", "SRS0=f154=jn=example.com=user@fwd.example"),
        ("User.Name@Sub.Example.COM", "SRS0=63ca=jn=Sub.Example.COM=User.Name@fwd.example"),
        ('"a b"@example.org', '"SRS0=2480=jn=example.org=a b"@fwd.example'),
        ("user", "SRS0=d2c1=jn==user@fwd.example"),
        ("", ""),
    ],
)
def test_encode(sender: str, rewritten: str) -> None:
    assert native.encode("mysecret", sender, "fwd.example", NOW) == rewritten


@pytest.mark.parametrize(
    ("local_part", "secret", "sender"),
    [
        ("SRS0=f154=jn=example.com=user", "mysecret", "user@example.com"),
        ("srs0=f154=JN=EXAMPLE.com=user", "mysecret", "user@EXAMPLE.com"),
        ("SRS0=63ca=jn=sub.example.com=User.Name", "mysecret", "User.Name@sub.example.com"),
        ("SRS0=2480=jn=example.org=a b", "mysecret", '"a b"@example.org'),
        ("SRS0=3c7b=jn=example.org=user", "mysecret", '"user"@example.org'),
        ("SRS0=f155=jn=example.com=user", "mysecret", None),
        ("SRS0=f15=jn=example.com=user", "mysecret", None),
        ("SRS0=f154aa=jn=example.com=user", "mysecret", None),
        ("SRS0=f154=jn=example.com=user", "other", None),
        ("SRS0+f154=jn=example.com=user", "mysecret", None),
        ("SRS0=xxxx=aa=example.org=a", "", "a@example.org"),
        ("SRS0=f154=jn==u", "", "u@"),
        ("SRS0=f154=jn=e=u=v@d", "", '"u=v@d"@e'),
        ("SRS0=f154=jn=e=u=v", "", "u=v@e"),
        ("SRS0=f154=jn=example.com", "", None),
        ("SRS0=f154=a1=example.com=user", "", None),
        ("user", "", None),
    ],
)
def test_decode(local_part: str, secret: str, sender: str | None) -> None:
    assert native.decode(secret, local_part, NOW) == sender


@pytest.mark.parametrize(("days", "is_good"), [(0, True), (10, True), (11, False), (-1, False), (1024, True)])
def test_age(days: int, is_good: bool) -> None:
    for start in range(0, 1024, 31):  # also over the end of the cycle
        made = NOW + start * DAY
        local_part = native.encode("secret", "user@example.com", "fwd.example", made).partition("@")[0]
        assert (native.decode("secret", local_part, made + days * DAY) is not None) is is_good


anything = st.one_of(st.text(max_size=80), st.text(st.characters(max_codepoint=255), max_size=80))


@given(secret=anything, text=anything, domain=anything, now=st.floats(0, 1e11))
def test_anything_may_come(secret: str, text: str, domain: str, now: float) -> None:
    made = native.encode(secret, text, domain, now)
    assert (made == "") is (text == "")
    for local_part in (text, made, f"SRS0={text}", f"SRS0=f154=jn={text}", f"SRS0=f154=jn=={text}", f"SRS0===={text}"):
        found = native.decode(secret, local_part, now)
        assert found is None or "@" in found


local_parts = st.text(st.sampled_from("abzAZ019.=+-_!#$%&'*/?^`{|}~"), min_size=1, max_size=30)


@given(local_part=local_parts, secret=st.text(min_size=1, max_size=20))
def test_there_and_back(local_part: str, secret: str) -> None:
    made = native.encode(secret, f"{local_part}@example.com", "fwd.example", NOW)
    assert native.decode(secret, made.rpartition("@")[0], NOW) == f"{local_part}@example.com"


def test_secrets_in_other_scripts_differ() -> None:
    local_part = native.encode("\u043e\u0434\u0438\u043d", "user@example.com", "fwd.example", NOW).partition("@")[0]
    assert native.decode("\u043e\u0434\u0438\u043d", local_part, NOW) == "user@example.com"
    assert native.decode("\u0434\u0432\u0430!", local_part, NOW) is None
