"""What Exim 4.99 makes and takes on 2026-11-24."""

from __future__ import annotations

import pytest

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
