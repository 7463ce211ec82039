"""Accounts of the local system."""

from __future__ import annotations

import pwd

import pytest

from eximious import waiting
from eximious.config.main import MainOptions
from eximious.routers import accounts


def options(**values: int) -> MainOptions:
    """Main options with these values."""
    main = MainOptions()
    for name, value in values.items():
        main.__dict__[name] = value
    return main


def test_a_login() -> None:
    found = accounts.find_login("root", options())
    assert found is not None
    assert (found.name, found.uid, found.gid) == ("root", 0, 0)


@pytest.mark.parametrize("name", ["", "no such user", "root\0", "root"])
def test_nobody(name: str) -> None:
    assert accounts.find_login(name, options(max_username_length=3)) is None


def test_password_data_that_do_not_know_everybody_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[object] = [KeyError("x"), KeyError("x"), pwd.getpwnam("root")]
    waits: list[float] = []

    def getpwnam(name: str) -> object:
        answer = answers.pop(0)
        if isinstance(answer, KeyError):
            raise answer
        return answer

    monkeypatch.setattr(pwd, "getpwnam", getpwnam)
    monkeypatch.setattr(waiting, "sleep", waits.append)
    assert accounts.find_login("late", options(finduser_retries=2)) is not None
    assert waits == [1, 1]
