"""How a delivery attempt is made: what the command line or the daemon asks for."""

from __future__ import annotations


class How:
    """One attempt to deliver one message."""

    __slots__ = (
        "continued",
        "forced",
        "give_up",
        "in_queue_run",
        "local_only",
        "no_remote",
        "route_only",
        "thaw",
        "who",
    )

    def __init__(self) -> None:
        self.forced = False  # retry times and hold_domains do not matter (-M, -qf, -R with f)
        self.thaw = False  # frozen messages are delivered too (-M, -qff)
        self.in_queue_run = False  # a queue run's attempt: retry times count for routing and local deliveries too
        self.local_only = False  # -ql: what needs another host waits
        self.no_remote = False  # -odqs: what needs another host is routed, noted as waiting, and waits
        self.route_only = False  # the first stage of -qq: the same, and nothing is logged about it
        self.give_up = False  # -Mg: fail everything that is left
        self.continued = False  # drawn after another message by a connection that is open
        self.who = ""  # login of the person who asks, for log lines


def forced(who: str = "") -> How:
    """For ``-M``: now, whatever the hints say."""
    how = How()
    how.forced = how.thaw = True
    how.who = who
    return how
