"""What a server offers in its answer to EHLO."""

from __future__ import annotations

from typing import Final

from eximious.smtp.reply import Reply

PARAMETER_LIMIT: Final = 20  # digits of a number that are read


class Features:
    """The extensions of one server. Keywords are in capitals, with their parameters as they came."""

    __slots__ = ("auth_mechanisms", "greeting", "keywords")

    def __init__(self, reply: Reply | None = None) -> None:
        self.greeting = ""  # the first line's text
        self.keywords: dict[str, str] = {}
        self.auth_mechanisms: list[str] = []
        if reply is None or not reply.is_positive:
            return
        self.greeting = reply.lines[0]
        for line in reply.lines[1:]:
            keyword, _, parameters = line.strip().partition(" ")
            keyword = keyword.upper()
            if keyword.startswith("AUTH="):  # what servers of old sent
                keyword, parameters = "AUTH", f"{keyword[5:]} {parameters}"
            if keyword == "AUTH":
                self.auth_mechanisms += [one for one in parameters.upper().split() if one not in self.auth_mechanisms]
            if keyword:
                self.keywords[keyword] = parameters.strip()

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    @property
    def size_limit(self) -> int:
        """Octets of a message that the server takes; 0 if it does not say, or takes any (RFC 1870)."""
        return _number(self.keywords.get("SIZE", ""))

    def limit(self, name: str) -> int:
        """A value of LIMITS (RFC 9422): MAILMAX, RCPTMAX, RCPTDOMAINMAX; 0 if it is not given."""
        for word in self.keywords.get("LIMITS", "").split():
            key, _, value = word.partition("=")
            if key.upper() == name:
                return _number(value)
        return 0


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= PARAMETER_LIMIT else 0
