"""Which addresses are done with, and under which names that is remembered."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from eximious.address.delivery import Address
from eximious.deliver.done import Done, name_child


class FakeClaim:
    """A claimed message that remembers names."""

    def __init__(self, *names: str) -> None:
        self.message = SimpleNamespace(nonrecipients=set(names))

    def record_done(self, name: str) -> None:
        self.message.nonrecipients.add(name)


def child(parent: Address, text: str, redirected_file: str = "", transport: str = "t") -> Address:
    """An address that the parent was redirected to."""
    address = Address(text)
    address.parent = parent
    address.redirected_file = redirected_file
    address.transport = SimpleNamespace(name=transport)
    parent.child_count += 1
    name_child(address)
    return address


def done(*names: str) -> tuple[Done, set[str]]:
    """Nothing done but these, and the set that grows."""
    claim = FakeClaim(*names)
    return Done(claim), claim.message.nonrecipients  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parent", "text", "redirected_file", "unique"),
    [
        ("a@x.example", "b@X.Example", "", "b@x.example"),
        ("a@x.example", "a@x.example", "", "\\0\\a@x.example"),
        ("a@x.example", "A@X.example", "", "\\0\\A@x.example"),
        ("a@x.example", "|/bin/cat", "|/bin/cat", "|/bin/cat:a@x.example"),
        ("a@x.example", "/mail/a", "/mail/a", "/mail/a:a@x.example"),
    ],
)
def test_unique_names(parent: str, text: str, redirected_file: str, unique: str) -> None:
    assert child(Address(parent), text, redirected_file).unique == unique


def test_the_names_of_what_is_generated_from_itself_again_and_again() -> None:
    first = child(Address("a@x.example"), "a@x.example")
    second = child(first, "a@x.example")
    assert second.unique == "\\1\\a@x.example"
    assert child(second, "|cat", "|cat").unique == "|cat:a@x.example"


def test_parents_are_done_when_all_their_children_are() -> None:
    answer, names = done()
    top = Address("list@x.example")
    one, other = child(top, "a@x.example"), child(top, "b@x.example")
    assert answer.add(one) == []
    assert names == {"a@x.example"}
    assert answer.add(other) == [top]
    assert names == {"a@x.example", "b@x.example", "list@x.example"}


def test_what_is_the_same_as_its_parent_is_remembered_with_its_transport() -> None:
    answer, names = done()
    top = Address("a@x.example")
    own, copy = child(top, "a@x.example", transport="box"), child(top, "b@y.example")
    answer.add(own)
    assert names == {"a@x.example/box"}
    assert answer.was_transported(own)
    assert not answer.was_transported(copy)
    answer.add(copy)
    assert names == {"a@x.example/box", "b@y.example", "a@x.example"}


def test_a_later_attempt_may_see_the_same_address_without_the_redirection() -> None:
    answer, _ = done("a@x.example/box")
    address = Address("a@x.example")
    address.transport = SimpleNamespace(name="box")
    assert answer.was_transported(address)
    address.transport = SimpleNamespace(name="other")
    assert not answer.was_transported(address)


def test_duplicates_are_done_with_the_first() -> None:
    answer, names = done()
    one, two = Address("one@x.example"), Address("two@x.example")
    first, duplicate = child(one, "a@x.example"), child(two, "a@x.example")
    answer.add_duplicate(duplicate)
    assert answer.originals([first]) == ["two@x.example", "one@x.example"]
    assert answer.add(first) == [one, two]
    assert names == {"a@x.example", "one@x.example", "two@x.example"}


def test_a_recipient_that_came_twice_is_named_twice() -> None:
    answer, _ = done()
    first, again = Address("a@x.example"), Address("a@x.example")
    answer.add_duplicate(again)
    assert answer.originals([first]) == ["a@x.example", "a@x.example"]
