"""When the daemon is to run which queue, and to do what else comes round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eximious.config.numbers import show_seconds

if TYPE_CHECKING:
    from eximious.exim.command_line import CommandLine, QueueRun


class Schedule:
    """The periodic runs of one daemon; times are of a clock that never goes back, in seconds."""

    def __init__(self, line: CommandLine, at_most: int, now: float) -> None:
        self.runs = [run for run in line.queue_runs if run.interval is not None]
        self.at_most = at_most  # runs at the same time, all queues together; 0 for no limit (queue_run_max)
        self.active = 0
        self._due = [now for _ in self.runs]  # the first runs begin at once
        self._line = line

    def describe(self) -> str:
        """For the log line: ``-q15m``, or ``no queue runs``."""
        if not self.runs:
            return "no queue runs"
        return ", ".join(self._word(run) for run in self.runs)

    def _word(self, run: QueueRun) -> str:
        flags = "q" * run.two_stage + "i" * run.initial_only + "f" * (run.force + run.force_frozen)
        flags += "l" * run.local_only
        name = f"G{run.name}/" if run.name else ""
        word = f"-q{flags}{name}{show_seconds(run.interval or 0)}"
        for letter, selection in (("R", self._line.recipient_selection), ("S", self._line.sender_selection)):
            if selection is not None:
                word += f" -{letter} {selection.text}"
        return word

    def next_due(self) -> float | None:
        """When the next run is due; None if there are none."""
        return min(self._due, default=None)

    def take_due(self, now: float) -> list[dict[str, Any]]:
        """The runs to begin now. One that cannot begin since there are too many is skipped until its next time."""
        chosen = []
        for number, run in enumerate(self.runs):
            if self._due[number] > now:
                continue
            interval = max(run.interval or 0, 1)
            self._due[number] = now + interval
            if not 0 < self.at_most <= self.active:
                self.active += 1
                chosen.append(order(run, self._line))
        return chosen

    def over(self) -> None:
        """A run is over."""
        self.active = max(self.active - 1, 0)


class Periodic:
    """Something that is to be done now and then, first at once; never, if it is not wanted. Times as above."""

    def __init__(self, interval: float, now: float, *, is_wanted: bool) -> None:
        self._interval = interval
        self._due = now if is_wanted else None

    def next_due(self) -> float | None:
        """When it is to be done next; None for never."""
        return self._due

    def take_due(self, now: float) -> bool:
        """True if it is to be done now."""
        if self._due is None or self._due > now:
            return False
        self._due = now + self._interval
        return True


def order(run: QueueRun, line: CommandLine) -> dict[str, Any]:
    """The run as a worker is told about it."""
    facts: dict[str, Any] = {name: getattr(run, name) for name in run.__slots__ if name != "interval"}
    for name in ("recipient_selection", "sender_selection"):
        selection = getattr(line, name)
        facts[name] = None if selection is None else {key: getattr(selection, key) for key in selection.__slots__}
    return facts
