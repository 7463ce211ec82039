"""Why a job cannot be done: raised where it is noticed, reported where the job began."""

from __future__ import annotations

from eximious.errors import EximiousError
from eximious.transports.job import Ended
from eximious.transports.outcome import DEFERRED


class Trouble(EximiousError):
    """The job cannot be done now: message, error number, and what else the outcome needs."""

    def __init__(
        self, message: str, errno: int = 0, *, more_errno: int = 0, freeze: bool = False, status: str = DEFERRED
    ) -> None:
        super().__init__(message)
        self.message = message
        self.errno = errno
        self.more_errno = more_errno
        self.freeze = freeze
        self.status = status

    def ended(self) -> Ended:
        """The report."""
        ended = Ended(self.status, self.message, self.errno, self.more_errno)
        ended.special_action = "freeze" if self.freeze else ""
        return ended
