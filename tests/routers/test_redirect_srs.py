"""The option srs of redirect routers: what it makes of senders and recipients, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.address.delivery import Address
from eximious.errors import ConfigErrors
from eximious.mailauth.srs import Scheme
from eximious.routers.engine import route
from eximious.routers.outcome import Outcome, Routed
from eximious.routers.redirect_srs import with_quotes, without_quotes
from eximious.taint import Tainted, is_tainted
from eximious.verify.report import RoutingReport

from .place import Place

REST = "\nrest:\n driver = accept\n transport = t1\n"
SECRET = "srs_secrets = tops3cret\n"
DAY = 86_400
NOW = 20_781 * DAY + 3600  # 2026-11-24, as in tests/mailauth/srs


def make(folder: Path, options: str, main: str = SECRET) -> Place:
    place = Place(folder, f"r:\n driver = redirect\n {options}\n{REST}", main=main)
    place.time = NOW
    return place


def routed(place: Place, recipient: str, sender: str = "", verify: str = "") -> Routed:
    context = place.context()
    context.message.sender = Tainted(sender)
    context.message.id = "1"
    return route(Address(Tainted(recipient)), context, verify)


def sender_of(place: Place, sender: str, recipient: str = "a@me.example", verify: str = "") -> str | None:
    found = routed(place, recipient, sender, verify)
    assert found.outcome is Outcome.ROUTED, found.address.message
    return found.generated[0].srs


FORWARD = "data = b@far.example\n srs = forward"

# What postsrsd makes, with the length of hash that is the default here.
SENDERS: list[tuple[str, str, str, str | None]] = [
    (FORWARD, SECRET + "srs_hashlength = 4", "user@example.com", "SRS0=rZ7H=JN=example.com=user@me.example"),
    (FORWARD, "srs_config = tops3cret:31:4", "user@example.com", "SRS0=rZ7H=JN=example.com=user@me.example"),
    (FORWARD, SECRET + "srs_config = other: : :", "user@example.com", None),
    (
        FORWARD,
        SECRET + "srs_hashlength = 4",
        "SRS0=abcd=QA=x.org=joe@fwd.example",
        "SRS1=VB/M=fwd.example==abcd=QA=x.org=joe@me.example",
    ),
    (
        FORWARD,
        SECRET + "srs_hashlength = 4",
        "SRS1=WXYZ=fwd.example==abcd=QA=x.org=joe@second.example",
        "SRS1=VB/M=fwd.example==abcd=QA=x.org=joe@me.example",
    ),
    (FORWARD, SECRET, "", None),
    (FORWARD, SECRET, "joe@me.example", None),
    (
        FORWARD + "\n srs_condition = ${if eq{$sender_address}{user@example.com}{no}{yes}}",
        SECRET,
        "user@example.com",
        None,
    ),
    (FORWARD + "\n srs_condition = ${if eq{a}{b}{}fail}", SECRET, "user@example.com", None),
    (
        FORWARD + "\n srs_condition = yes\n srs_alias = srs.$domain",
        SECRET + "srs_hashlength = 4",
        "user@example.com",
        "SRS0=rZ7H=JN=example.com=user@srs.me.example",
    ),
    (
        FORWARD + "\n srs_alias = ${if eq{a}{b}{}fail}",
        "srs_config = tops3cret: :4",
        "user@example.com",
        "SRS0=rZ7H=JN=example.com=user@me.example",
    ),
    (FORWARD, "srs_config = tops3cret: : :0:0", "user@example.com", "SRS0=example.com=user@me.example"),
    (
        FORWARD,
        SECRET + "srs_usehash = false\nsrs_usetimestamp = false",
        '"john doe"@example.com',
        '"SRS0=example.com=john doe"@me.example',
    ),
    (FORWARD, "srs_config = tops3cret: : :0:0", '"plain"@example.com', "SRS0=example.com=plain@me.example"),
    ("data = b@far.example\n srs = reverse", SECRET, "user@example.com", "declined"),
    ("data = b@far.example", SECRET, "user@example.com", None),
]


@pytest.mark.parametrize(("options", "main", "sender", "rewritten"), SENDERS)
def test_sender(options: str, main: str, sender: str, rewritten: str | None, tmp_path: Path) -> None:
    place = make(tmp_path, options, main)
    found = routed(place, "a@me.example", sender)
    if rewritten == "declined":
        assert found.generated == []
        return
    if "other" in main:
        # srs_config has the secret that signs.
        rewritten = Scheme(["other"], hash_length=6, clock=lambda: NOW).forward(sender, "me.example")
    assert found.generated[0].srs == rewritten
    assert rewritten is None or is_tainted(found.generated[0].srs or "")


def test_a_long_sender_stays_as_it_is(tmp_path: Path) -> None:
    place = make(tmp_path, FORWARD)
    assert sender_of(place, f"{'u' * 37}@example.com") is not None  # 64 octets
    assert sender_of(place, f"{'u' * 38}@example.com") is None
    assert place.logs.lines == [
        f'main: SRS: sender not rewritten by r router: "{"u" * 38}@example.com" would have a local part of 65 octets'
    ]


def test_children_of_children_keep_the_sender(tmp_path: Path) -> None:
    place = Place(
        tmp_path,
        "r:\n driver = redirect\n domains = me.example\n data = b@here.example\n srs = forward\n"
        "s:\n driver = redirect\n data = c@far.example\n",
        main=SECRET,
    )
    context = place.context()
    context.message.sender = "user@example.com"
    first = route(Address("a@me.example"), context).generated[0]
    assert first.srs is not None
    assert route(first, context).generated[0].srs == first.srs


@pytest.mark.parametrize(("verify", "is_rewritten"), [("", True), ("T", True), ("R", False), ("S", False)])
def test_nothing_is_rewritten_to_verify(verify: str, is_rewritten: bool, tmp_path: Path) -> None:
    assert (sender_of(make(tmp_path, FORWARD), "user@example.com", verify=verify) is not None) is is_rewritten


REVERSE = "data = $srs_recipient\n srs = reverse"
FOUR = SECRET + "srs_hashlength = 4\n"
DECLINED = "rest"  # the next router has it

RECIPIENTS: list[tuple[str, str, str]] = [
    (FOUR, "SRS0=rZ7H=JN=example.com=user@me.example", "user@example.com"),
    (FOUR, "srs0=rz7h=jn=example.com=user@me.example", "user@example.com"),
    (FOUR, "SRS0=cTGN=JN=Sub.Example.COM=User.Name@me.example", "User.Name@Sub.Example.COM"),
    (FOUR, "SRS0+rZ7H=JN=example.com=user@me.example", "user@example.com"),
    (FOUR, "SRS1=VB/M=fwd.example==abcd=QA=x.org=joe@me.example", "SRS0=abcd=QA=x.org=joe@fwd.example"),
    (
        "srs_secrets = new : tops3cret\nsrs_hashlength = 4",
        "SRS0=rZ7H=JN=example.com=user@me.example",
        "user@example.com",
    ),
    (SECRET + "srs_hashmin = 4", "SRS0=rZ7H=JN=example.com=user@me.example", "user@example.com"),
    ("srs_config = new:31:4\n" + SECRET, "SRS0=rZ7H=JN=example.com=user@me.example", "user@example.com"),
    (SECRET, "SRS0=rZ7H=JN=example.com=user@me.example", "SRS: bad hash"),  # too short
    (FOUR, "SRS0=rZ7I=JN=example.com=user@me.example", "SRS: bad hash"),
    (FOUR, "SRS0=rZ7H=JN=example.com=other@me.example", "SRS: bad hash"),
    (FOUR, "SRS0=rZ7H=JM=example.com=user@me.example", "SRS: bad hash"),
    (FOUR, "SRS1=VB/M=other.example==abcd=QA=x.org=joe@me.example", "SRS: bad hash"),
    (FOUR, "SRS0=rZ7H=JN=example.com@me.example", DECLINED),
    (FOUR, "user@me.example", DECLINED),
    (FOUR, "SRS2=rZ7H=JN=example.com=user@me.example", DECLINED),
    (
        SECRET + "srs_usehash = no\nsrs_usetimestamp = no",
        '"SRS0=example.com=john \\"doe"@me.example',
        '"john \\"doe"@example.com',
    ),
]


@pytest.mark.parametrize(("main", "recipient", "original"), RECIPIENTS)
def test_recipient(main: str, recipient: str, original: str, tmp_path: Path) -> None:
    found = routed(make(tmp_path, REVERSE, main), recipient)
    if original == DECLINED:
        assert found.address.router.name == "rest"
    elif original.startswith("SRS: "):
        assert (found.outcome, found.address.message) == (Outcome.FAILED, original)
        assert found.address.user_message == original
    else:
        assert [child.address for child in found.generated] == [original]
        assert found.generated[0].srs is None
        assert is_tainted(found.generated[0].address)


@pytest.mark.parametrize(("days", "is_good"), [(0, True), (31, True), (32, False)])
def test_age(days: int, is_good: bool, tmp_path: Path) -> None:
    place = make(tmp_path, REVERSE, FOUR)
    place.time += days * DAY
    found = routed(place, "SRS0=rZ7H=JN=example.com=user@me.example")
    if is_good:
        assert found.outcome is Outcome.ROUTED
    else:
        assert (found.outcome, found.address.message) == (Outcome.FAILED, "SRS: expired")


def test_both_ways(tmp_path: Path) -> None:
    place = make(tmp_path, "data = $srs_recipient\n srs = reverseandforward", FOUR)
    found = routed(place, "SRS0=rZ7H=JN=example.com=user@me.example", "joe@third.example")
    child = found.generated[0]
    assert child.address == "user@example.com"
    assert str(child.srs).endswith("=JN=third.example=joe@me.example")


VARIABLES = [
    ("forward", "b@me.example", "user@example.com", "user@example.com; ; ; "),
    (
        "reverse",
        "SRS0=rZ7H=JN=example.com=user@me.example",
        "joe@third.example",
        "joe@third.example; SRS0=rZ7H=JN=example.com=user@me.example; user@example.com; ok",
    ),
]


@pytest.mark.parametrize(("direction", "recipient", "sender", "shown"), VARIABLES)
def test_variables(direction: str, recipient: str, sender: str, shown: str, tmp_path: Path) -> None:
    text = ":fail: $srs_orig_sender; $srs_orig_recipient; $srs_recipient; $srs_status"
    place = make(tmp_path, f"data = {text}\n srs = {direction}\n allow_fail", FOUR)
    assert routed(place, recipient, sender).address.message == shown.rstrip()


def test_the_status_of_what_was_declined(tmp_path: Path) -> None:
    rest = "\nrest:\n driver = redirect\n data = :fail: $srs_status\n allow_fail\n"
    place = Place(tmp_path, f"r:\n driver = redirect\n {REVERSE}\n{rest}", main=SECRET)
    assert routed(place, "user@me.example").address.message == "not an SRS address"


MISCONFIGURED = [
    ("", "No secret specified"),
    ("srs_secrets =", "No secret specified"),
    ("srs_config = :31", "No secret specified"),
    (SECRET + "srs_maxage = 366", "Invalid maximum timestamp age"),
    (SECRET + "srs_maxage = -1", "Invalid maximum timestamp age"),
    ("srs_config = s:soon", "Invalid maximum timestamp age"),
    (SECRET + "srs_hashlength = 0", "Invalid hash length"),
    (SECRET + "srs_hashlength = 21", "Invalid hash length"),
    (SECRET + "srs_hashmin = 0", "Invalid hash length"),
    (SECRET + "srs_hashmin = 21", "Invalid hash length"),
    ("srs_config = s:31:x", "Invalid hash length"),
]


@pytest.mark.parametrize("options", [FORWARD, REVERSE], ids=["forward", "reverse"])
@pytest.mark.parametrize(("main", "message"), MISCONFIGURED)
def test_misconfigured(main: str, message: str, options: str, tmp_path: Path) -> None:
    place = make(tmp_path, options, main)
    found = routed(place, "a@me.example", "user@example.com")
    assert (found.outcome, found.address.message) == (Outcome.DEFERRED, f"SRS Configuration Error: {message}")
    assert place.logs.lines == [f"main panic: SRS Configuration Error: {message}"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("srs = sideways", '"sideways" is not valid for the srs option: forward, reverse, reverseandforward'),
        (
            "srs = reverseandforward\n srs_dbinsert = x",
            '"srs_dbinsert" and "srs_dbselect" go together with "srs = reverseandforward"',
        ),
        (
            "srs = reverseandforward\n srs_dbselect = x",
            '"srs_dbinsert" and "srs_dbselect" go together with "srs = reverseandforward"',
        ),
    ],
)
def test_faults(options: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        make(tmp_path, f"data = x\n {options}")
    assert message in str(caught.value)


# Databases ------------------------------------------------------------------------------------------------------------


def database(folder: Path) -> str:
    """Options that keep senders in a database."""
    import sqlite3

    file = folder / "srs.db"
    with sqlite3.connect(file) as opened:
        opened.execute("CREATE TABLE srs (key PRIMARY KEY, address)")
    opened.close()
    return (
        f"srs_dbinsert = ${{lookup sqlite,file={file}"
        "{INSERT INTO srs VALUES ('$srs_db_key', '${quote_sqlite:$srs_db_address}')}}\n"
        f" srs_dbselect = ${{lookup sqlite,file={file}"
        "{SELECT address FROM srs WHERE key = '$srs_db_key'}}"
    )


LONG = f"{'u' * 64}@{'.'.join(['d' * 60] * 3)}.example"


@pytest.mark.parametrize("sender", ["user@example.com", LONG, "o'hara@example.com", '"john doe"@example.com'])
def test_stored_senders(sender: str, tmp_path: Path) -> None:
    options = database(tmp_path)
    place = make(tmp_path, f"{FORWARD}\n {options}")
    context = place.context()
    context.message.sender, context.message.id = Tainted(sender), "1"
    rewritten = route(Address(Tainted("a@me.example")), context).generated[0].srs
    assert rewritten == route(Address(Tainted("b@me.example")), context).generated[0].srs  # one for all recipients
    assert rewritten is not None
    local_part = rewritten.partition("@")[0]
    assert len(local_part) == len("SRS0=HHHHHH=TT=") + 16
    back = make(tmp_path, f"{REVERSE}\n {options}")
    assert routed(back, rewritten).generated[0].address == sender
    assert routed(back, rewritten.upper()).generated[0].address == sender
    forged = f"{local_part[:-1]}{'b' if local_part[-1] == 'a' else 'a'}@me.example"
    assert routed(back, forged).address.message == "SRS: bad hash"


def test_a_stored_sender_that_is_gone_has_expired(tmp_path: Path) -> None:
    address = Scheme(["tops3cret"], hash_length=6, clock=lambda: NOW).forward(
        "user@example.com", "me.example", lambda sender: "abcdefghij234567"
    )
    place = make(tmp_path, f"{REVERSE}\n {database(tmp_path)}")
    assert routed(place, address).address.message == "SRS: expired"


@pytest.mark.parametrize("text", ["${if eq{a}{b}{}fail}", "${lookup sqlite,file=/nowhere/x{SELECT}}"])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_a_database_that_fails_defers(direction: str, text: str, tmp_path: Path) -> None:
    address = Scheme(["tops3cret"], hash_length=6, clock=lambda: NOW).forward(
        "user@example.com", "me.example", lambda sender: "abcdefghij234567"
    )
    place = make(tmp_path, f"data = x@y.z\n srs = {direction}\n srs_dbinsert = {text}\n srs_dbselect = {text}")
    recipient, sender = (address, "") if direction == "reverse" else ("a@me.example", "user@example.com")
    found = routed(place, recipient, sender)
    assert found.outcome is Outcome.DEFERRED
    assert "srs_db" in found.address.message


def test_nothing_is_stored_by_a_test_of_addresses(tmp_path: Path) -> None:
    place = make(tmp_path, "data = x@y.z\n srs = forward\n srs_dbinsert = ${if eq{a}{b}{}fail}")
    assert sender_of(place, "user@example.com", verify="T") is not None


def test_shown_by_a_test_of_addresses(tmp_path: Path) -> None:
    place = make(tmp_path, f"{FORWARD}\n domains = me.example", FOUR)
    context = place.context()
    context.message.sender = "user@example.com"
    lines: list[str] = []
    RoutingReport(context, lines.append).report("a@me.example")
    assert lines == [
        "b@far.example    [srs = SRS0=rZ7H=JN=example.com=user@me.example]",
        "    <-- a@me.example",
        "  router = rest, transport = t1",
    ]


# Quotes ---------------------------------------------------------------------------------------------------------------


@given(local_part=st.text(st.characters(min_codepoint=32, max_codepoint=255), min_size=1, max_size=64))
def test_any_sender_comes_back(local_part: str) -> None:
    sender = with_quotes(f"{local_part}@example.com")
    assert without_quotes(sender) == f"{local_part}@example.com"
    one = Scheme(["tops3cret"], clock=lambda: NOW)
    rewritten = with_quotes(one.forward(without_quotes(sender), "me.example"))
    if not local_part.upper().startswith("SRS"):
        assert with_quotes(one.reverse(without_quotes(rewritten))) == sender
