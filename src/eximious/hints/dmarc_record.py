"""The records of the databases about DMARC: what reports will say, and which have been sent."""

from __future__ import annotations

from eximious.hints.record import Record


class DmarcDomain(Record):
    """A domain that wants aggregate reports, on one day: the database ``dmarc-domain``, keyed by day and domain."""

    __slots__ = ("begin", "method", "omitted", "policy", "rows")
    FIELDS = (("begin", "int"), ("policy", "text"), ("method", "text"), ("rows", "int"), ("omitted", "int"))

    def __init__(self) -> None:
        super().__init__()
        self.begin = 0  # UNIX time from which messages are counted
        self.policy = ""  # the text of the DMARC record that was seen last
        self.method = ""  # how it was found: psl or treewalk
        self.rows = 0  # kinds of messages that are kept
        self.omitted = 0  # messages that are not, since there are too many kinds


class DmarcRow(Record):
    """Messages that are alike: the database ``dmarc-row``, keyed by day, domain and a hash of the values."""

    __slots__ = ("count", "values")
    FIELDS = (("count", "int"), ("values", "texts"))

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.values: list[str] = []  # see eximious.deliver.dmarc.gathered


class DmarcFailure(Record):
    """Failure reports since `begin`: the database ``dmarc-failure``, keyed by domain, or by what failures share."""

    __slots__ = ("begin", "sent", "withheld")
    FIELDS = (("begin", "float"), ("sent", "int"), ("withheld", "int"))

    def __init__(self) -> None:
        super().__init__()
        self.begin = 0.0
        self.sent = 0
        self.withheld = 0
