"""Who gives us a message on this machine: the login and name that go into headers, and what it may claim."""

from __future__ import annotations


class Submitter:
    """A user of this machine, or, for messages from the network, the user that the server runs as."""

    __slots__ = ("address", "gid", "is_trusted", "keeps_unqualified", "login", "name", "name_is_forced", "uid")

    def __init__(
        self,
        login: str = "",
        name: str = "",
        uid: int = 0,
        gid: int = 0,
        *,
        address: str = "",
        is_trusted: bool = False,
        name_is_forced: bool = False,
    ) -> None:
        self.login = login
        self.name = name  # full name; from -F, or the account database
        self.uid = uid
        self.gid = gid
        self.address = address  # login@qualify_domain
        self.is_trusted = is_trusted  # may say who sent a message
        self.name_is_forced = name_is_forced  # -F was given
        self.keeps_unqualified = False  # -bnq: header addresses without a domain stay so
