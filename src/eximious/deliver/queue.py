"""Queue runs: one attempt for each message that waits, one after another.

(Exim specification, options -q, -R and -S; "The queue runner".)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from eximious.deliver.how import How
from eximious.deliver.message import deliver
from eximious.errors import EximiousError
from eximious.spool.errors import SpoolError

if TYPE_CHECKING:
    from eximious.services import Services
    from eximious.spool.message import Message

Deliver = Callable[[str, How], object]


class BadSelection(EximiousError):
    """The regular expression of -R or -S cannot be used."""


class Selection:
    """``-R`` or ``-S``: which messages are meant, by a recipient or the sender."""

    __slots__ = ("_matches", "force", "force_frozen", "is_regex", "text")

    def __init__(self, text: str, *, is_regex: bool = False, force: bool = False, force_frozen: bool = False) -> None:
        self.text = text
        self.is_regex = is_regex
        self.force = force
        self.force_frozen = force_frozen
        self._matches: Callable[[str], bool] = self._compile()

    def _compile(self) -> Callable[[str], bool]:
        if not self.is_regex:
            wanted = self.text.lower()
            return lambda address: wanted in address.lower()
        import pcre2

        try:
            pattern = pcre2.compile(self.text.encode("latin-1"), pcre2.I)
        except pcre2.PatternError as error:
            raise BadSelection(f"regular expression error: {error} while compiling {self.text}") from None
        return lambda address: pattern.search(address.encode("latin-1")) is not None

    def matches(self, address: str) -> bool:
        """True if the address is meant."""
        return self._matches(address)

    def words(self, letter: str) -> str:
        """As on the command line."""
        flags = "r" * self.is_regex + "f" * (self.force + self.force_frozen)
        return f" -{letter}{flags} {self.text}"


class Run:
    """What one queue run is to do."""

    __slots__ = (
        "first_id",
        "force",
        "force_frozen",
        "initial_only",
        "last_id",
        "local_only",
        "name",
        "occasion",
        "recipients",
        "senders",
        "two_stage",
    )

    def __init__(self) -> None:
        self.name = ""  # of the queue; "" is the default one
        self.occasion = ""  # "ODMR" for a run that such a command asked for
        self.two_stage = False  # -qq
        self.initial_only = False  # -qi: messages that have not been tried yet
        self.force = False  # -qf: whatever the retry times
        self.force_frozen = False  # -qff: frozen messages too
        self.local_only = False  # -ql
        self.first_id = ""
        self.last_id = ""
        self.recipients: Selection | None = None
        self.senders: Selection | None = None

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Run:
        """From a dictionary of the attributes; selections are dictionaries, too. Raises BadSelection."""
        run = cls()
        for name in cls.__slots__:
            if name in facts and name not in ("recipients", "senders"):
                setattr(run, name, facts[name])
        for name, key in (("recipients", "recipient_selection"), ("senders", "sender_selection")):
            chosen = facts.get(key)
            if chosen is not None:
                setattr(run, name, Selection(**chosen))
        return run

    @property
    def words(self) -> str:
        """The options, as the log has them behind the process id."""
        flags = "q" * self.two_stage + "i" * self.initial_only + "f" * (self.force + self.force_frozen)
        flags += "l" * self.local_only
        text = f" -q{flags}" if flags else ""
        if self.recipients is not None:
            text += self.recipients.words("R")
        if self.senders is not None:
            text += self.senders.words("S")
        return text


def run_queue(services: Services, run: Run, attempt: Deliver | None = None) -> None:
    """Run a queue once. `attempt` makes one delivery attempt; by default, in this process."""
    if attempt is None:

        def attempt(message_id: str, how: How) -> object:
            return deliver(message_id, services, how, run.name)

    _log(services, run, "Start")
    for stage in (1, 2) if run.two_stage else (2,):
        _one_pass(services, run, attempt, is_first_stage=stage == 1)
    _log(services, run, "End")


def _log(services: Services, run: Run, what: str) -> None:
    if "queue_run" in services.logs.selected:
        occasion = f" {run.occasion}" if run.occasion and what == "Start" else ""
        name = f" '{run.name}'" if run.name else ""
        services.logs.main(f"{what}{occasion}{name} queue run: pid={os.getpid()}{run.words}")


def _one_pass(services: Services, run: Run, attempt: Deliver, *, is_first_stage: bool) -> None:
    main = services.config.main
    forces_next = True  # -R and -S force the first message that they find, to see whether the host is back
    for message_id in ordered_ids(services, run):
        if main.deliver_queue_load_max is not None and os.getloadavg()[0] > main.deliver_queue_load_max:
            services.logs.main("Abandon queue run: load average is too high")
            return
        message = _selected(services, run, message_id)
        if message is None:
            continue
        how = How()
        how.in_queue_run = True
        how.local_only = run.local_only
        how.route_only = is_first_stage
        selections = [selection for selection in (run.recipients, run.senders) if selection is not None]
        how.forced = run.force or run.force_frozen or any(chosen.force or chosen.force_frozen for chosen in selections)
        how.thaw = run.force_frozen or any(chosen.force_frozen for chosen in selections)
        if selections and forces_next:
            how.forced = True
            forces_next = False
        attempt(message_id, how)


def ordered_ids(services: Services, run: Run) -> list[str]:
    """The ids of the messages to look at, in the order in which to do so."""
    main = services.config.main
    order = main.queue_run_order or ("oldest" if main.queue_run_in_order else "random")
    ids = services.spool.list_ids(run.name, in_order=order != "random")
    if order == "newest":
        ids.reverse()
    return [
        message_id
        for message_id in ids
        if not (run.first_id and message_id < run.first_id) and not (run.last_id and message_id > run.last_id)
    ]


def _selected(services: Services, run: Run, message_id: str) -> Message | str | None:
    """Something true if an attempt is to be made for the message."""
    if not run.initial_only and run.recipients is None and run.senders is None:
        return message_id
    try:
        message = services.spool.read(message_id, run.name)
    except SpoolError:
        return message_id  # the attempt will say what is wrong with it
    if message is None or (run.initial_only and not message.deliver_first_time):
        return None
    if message.is_frozen and not _thaws(run):
        return None
    if run.senders is not None and not run.senders.matches(message.sender):
        return None
    if run.recipients is not None:
        left = [each.address for each in message.recipients if each.address not in message.nonrecipients]
        if not any(map(run.recipients.matches, left)):
            return None
    return message


def _thaws(run: Run) -> bool:
    chosen = [selection for selection in (run.recipients, run.senders) if selection is not None]
    return run.force_frozen or any(selection.force_frozen for selection in chosen)
