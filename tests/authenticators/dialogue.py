"""Exchanges without a network: a scripted other side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eximious.authenticators.exchange import ClientExchange, ServerExchange, encode
from eximious.config.configuration import Configuration
from eximious.config.load import load
from eximious.context import Context
from eximious.services import Services


class Server:
    """A client's script for our server: what it sends with AUTH, and in answer to each challenge."""

    def __init__(self, initial: str | None, answers: Sequence[str]) -> None:
        self.challenges: list[str] = []
        self._answers = list(answers)
        self.exchange = ServerExchange(self._ask, initial)

    def _ask(self, challenge: str) -> str:
        self.challenges.append(challenge)
        return self._answers.pop(0)


class Client:
    """A server's script for our client: its replies, in order."""

    def __init__(self, mechanism: str, replies: Sequence[str]) -> None:
        self.lines: list[str] = []
        self._replies = list(replies)
        self.exchange = ClientExchange(self._command, mechanism)

    def _command(self, line: str) -> tuple[int, str]:
        self.lines.append(line)
        code, _, text = self._replies.pop(0).partition(" ")
        return int(code), text


def b64(text: str) -> str:
    """Base64, for scripts."""
    return encode(text)


def configured(folder: Path, text: str) -> tuple[Any, Context]:
    """The first authenticator of a section, and a context."""
    path = folder / "exim.conf"
    path.write_text(f"primary_hostname = our.host\nbegin authenticators\n{text}\n")
    config: Configuration = load(str(path))
    return config.authenticators[0], Context(config, Services(config))
