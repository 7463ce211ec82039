"""PLAIN (RFC 4616), LOGIN, and whatever else only sends strings: the plaintext authenticator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.authenticators.base import Authenticator, authenticators, set_strings
from eximious.authenticators.exchange import (
    BadBase64,
    ClientExchange,
    ClientResult,
    ClientStatus,
    Result,
    ServerExchange,
    decode,
)
from eximious.config.lists import split
from eximious.config.option import option
from eximious.expand.template import expand
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.config.values import StringList
    from eximious.context import Context
    from eximious.expand.template import Template

STRING_LIMIT: Final = 20  # strings that one exchange may bring
PROMPT_LIMIT: Final = 4  # prompts of a server that become $auth1, ...


@authenticators.register("plaintext")
class Plaintext(Authenticator):
    """Strings go over the network as they are, only in base64."""

    client_option = "client_send"

    client_ignore_invalid_base64: bool = option(False, doc="Go on if a prompt of the server is not in base64.")
    client_send: StringList | None = option(
        None, doc="What to send: the first string with AUTH, the others in answer to prompts; ``^`` stands for NUL."
    )
    server_prompts: Template | None = option(None, doc="Prompts for strings that did not come with AUTH.")

    def serve(self, exchange: ServerExchange, context: Context) -> Result:
        initial = exchange.initial()
        strings = [] if initial is None else _strings(initial)
        set_strings(context, strings)
        prompts = [] if self.server_prompts is None else split(self.server_prompts.expand(context))
        for number, prompt in enumerate(prompts):
            if number < len(strings):
                continue
            if len(strings) >= STRING_LIMIT:
                break
            strings += _strings(exchange.get(prompt))
            set_strings(context, strings)
        return self.judge(context)

    def use(self, exchange: ClientExchange, context: Context) -> ClientResult:
        prompts: list[str] = []
        challenge = ""
        for number, string in enumerate(self.client_send or [""]):
            if number:
                try:
                    prompt = decode(challenge)
                except BadBase64:
                    if not self.client_ignore_invalid_base64:
                        return _cancelled(exchange, challenge, self.name)
                    prompt = ""
                if len(prompts) < PROMPT_LIMIT:
                    prompts.append(Tainted(prompt))
                    set_strings(context, prompts)
            text = with_nuls(expand(string, context))
            if number == 0:
                challenge = exchange.begin(text or None)
            else:
                challenge = exchange.respond(text)
            if exchange.is_done:
                return ClientResult(ClientStatus.OK)
        return _cancelled(exchange, challenge, self.name)


def _strings(data: str) -> list[str]:
    """The strings between NULs, up to the limit."""
    return [Tainted(part) for part in data.split("\0")[:STRING_LIMIT]]


def with_nuls(text: str) -> str:
    """Single circumflexes become NULs; a doubled one becomes one circumflex."""
    return "^".join(part.replace("^", "\0") for part in text.split("^^"))


def _cancelled(exchange: ClientExchange, challenge: str, name: str) -> ClientResult:
    """Give up: the prompt is unreadable, or the server wants more than there is."""
    try:
        decode(challenge)
        message = f"Too few items in client_send in {name} authenticator"
    except BadBase64:
        message = f'Invalid base64 string in server response "{challenge}"'
    return ClientResult(ClientStatus.CANCELLED, message, exchange.cancel())
