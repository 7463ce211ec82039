"""The argument of ``verify = ...``: what is to be verified, and how. (Exim specification, "Address verification".)"""

from __future__ import annotations

from copy import copy
from typing import Final

from eximious.acl.verdict import AclError
from eximious.config.numbers import seconds
from eximious.errors import did_you_mean

CALLOUT_SECONDS: Final = 30.0
MAXWAIT_FACTOR: Final = 4
EXPECTED: Final = (
    'expected "sender[=address]", "recipient", "helo", "header_syntax", "header_sender", "header_names_ascii" '
    'or "reverse_host_lookup" at start of ACL condition "verify {}"'
)
OPTIONS: Final = frozenset(
    {"callout", "callout_defer_ok", "check_postmaster", "defer_ok", "no_details", "quota", "success_on_redirect"}
)
WITH_ADDRESS_OPTIONS: Final = frozenset({"sender", "recipient", "header_sender"})
WITHOUT_OPTIONS: Final = frozenset({"certificate", "header_names_ascii", "header_syntax", "helo"})
OWN_OPTIONS: Final = {"csa": None, "not_blind": "case_insensitive", "reverse_host_lookup": "defer_ok"}


class CalloutOptions:
    """How the hosts of an address are to be asked about it. Times are in seconds."""

    __slots__ = (
        "connect_timeout",
        "defer_ok",
        "fullpostmaster",
        "hold",
        "mailfrom",
        "maxwait",
        "no_cache",
        "postmaster",
        "random",
        "timeout",
        "use_postmaster",
        "use_sender",
    )

    def __init__(self) -> None:
        self.timeout = CALLOUT_SECONDS  # for each reply
        self.connect_timeout = 0.0  # 0: the same
        self.maxwait = 0.0  # for all hosts together; 0: four times the timeout
        self.defer_ok = False
        self.no_cache = False
        self.postmaster: str | None = None  # check postmaster too, from this sender; None: do not
        self.fullpostmaster = False  # ... and then postmaster without a domain
        self.mailfrom = ""  # the sender to use, for addresses in headers
        self.random = False
        self.use_postmaster = False
        self.use_sender = False
        self.hold = False

    @property
    def overall(self) -> float:
        """The time limit for all hosts together."""
        return self.maxwait or self.timeout * MAXWAIT_FACTOR

    def __repr__(self) -> str:
        return f"CalloutOptions({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class QuotaOptions:
    """``quota``: is there room in the mailbox? How long answers are remembered, in seconds."""

    __slots__ = ("negative", "positive")

    def __init__(self) -> None:
        self.positive = 300.0
        self.negative = 3600.0


class VerifyOptions:
    """What is to be verified: `what` is the keyword."""

    __slots__ = (
        "address",
        "callout",
        "csa_domain",
        "defer_ok",
        "flag",
        "no_details",
        "quota",
        "states",
        "success_on_redirect",
        "text",
        "what",
    )

    def __init__(self, text: str) -> None:
        """Raises AclError, in Exim's words."""
        self.text = text
        self.address: str | None = None  # of ``sender=address``
        self.callout: CalloutOptions | None = None
        self.quota: QuotaOptions | None = None
        self.csa_domain = ""
        self.states = "none:pass"  # of ARC, that are good
        self.defer_ok = False
        self.no_details = False
        self.success_on_redirect = False
        self.flag = False  # the only option of not_blind and reverse_host_lookup
        parts = _split(text)
        keyword = parts[0]
        self.what, equals, value = keyword.partition("=")
        self.what = self.what.strip()
        if self.what == "sender" and equals:
            self.address = value.strip()
        elif equals:
            raise AclError(EXPECTED.format(text))
        if self.what in WITH_ADDRESS_OPTIONS:
            for option in parts[1:]:
                self._option(option.strip())
        elif self.what == "arc":
            self.states = "/".join(parts[1:]).strip() or self.states
        elif self.what in WITHOUT_OPTIONS:
            if len(parts) > 1:
                raise AclError(f"unexpected '/' found in \"{text}\" (this verify item has no options)")
        elif self.what in OWN_OPTIONS:
            self._own_option(parts[1:])
        else:
            names = (*WITH_ADDRESS_OPTIONS, *WITHOUT_OPTIONS, *OWN_OPTIONS, "arc")
            raise AclError(EXPECTED.format(text), did_you_mean(self.what, names))

    def without_callout(self) -> VerifyOptions:
        """The same, but nobody is called."""
        other = copy(self)
        other.callout = None
        return other

    def _own_option(self, options: list[str]) -> None:
        if self.what == "csa":
            self.csa_domain = "/".join(options).strip()
            return
        for option in options:
            if option.strip() == OWN_OPTIONS[self.what]:
                self.flag = True
            elif self.what == "not_blind":
                raise self._unknown(option.strip())

    def _unknown(self, option: str) -> AclError:
        message = f'unknown option "{option}" in ACL condition "verify {self.text}"'
        return AclError(message, did_you_mean(option.partition("=")[0].strip(), OPTIONS))

    def _option(self, option: str) -> None:
        name, equals, value = option.partition("=")
        name = name.strip()
        if name == "defer_ok":
            self.defer_ok = True
        elif name == "no_details":
            self.no_details = True
        elif name == "success_on_redirect":
            self.success_on_redirect = True
        elif name == "callout":
            self.callout = self.callout or CalloutOptions()
            if equals:
                self._callout(value)
        elif name == "callout_defer_ok":
            self.callout = self.callout or CalloutOptions()
            self.callout.defer_ok = True
        elif name == "check_postmaster":
            self.callout = self.callout or CalloutOptions()
            self.callout.postmaster = ""
        elif name == "quota" and self.what == "recipient":
            self.quota = QuotaOptions()
            if equals:
                self._quota(value)
        else:
            raise self._unknown(option)

    def _callout(self, text: str) -> None:
        callout = self.callout
        assert callout is not None
        for item in (part.strip() for part in text.split(",")):
            name, equals, value = (part.strip() for part in item.partition("="))
            if name in FLAGS and not equals:
                setattr(callout, name, True)
                if name == "fullpostmaster" and callout.postmaster is None:
                    callout.postmaster = ""
            elif name == "postmaster" and not equals:
                callout.postmaster = ""
            elif name == "postmaster_mailfrom" and equals:
                callout.postmaster = value
            elif name == "mailfrom" and equals:
                if self.what != "header_sender":
                    raise AclError(
                        '"mailfrom" is allowed as a callout option only for verify=header_sender '
                        f'(detected in ACL condition "{self.text}")'
                    )
                callout.mailfrom = value
            elif name in ("connect", "maxwait") and equals:
                setattr(callout, "connect_timeout" if name == "connect" else "maxwait", self._time(value))
            else:
                callout.timeout = self._time(item)
        if callout.mailfrom and (callout.use_sender or callout.use_postmaster):
            raise AclError(f'only one of use_sender, use_postmaster and mailfrom may be given in "verify {self.text}"')
        if self.what != "recipient" and (callout.use_sender or callout.use_postmaster):
            option = "use_sender" if callout.use_sender else "use_postmaster"
            raise AclError(
                f'"{option}" is allowed as a callout option only for verify=recipient '
                f'(detected in ACL condition "{self.text}")'
            )

    def _quota(self, text: str) -> None:
        assert self.quota is not None
        for item in (part.strip() for part in text.split(",")):
            name, _, value = (part.strip() for part in item.partition("="))
            if name == "no_cache":
                self.quota.positive = self.quota.negative = 0.0
            elif name == "cachepos":
                self.quota.positive = self._time(value)
            elif name == "cacheneg":
                self.quota.negative = self._time(value)
            else:
                raise self._unknown(item)

    def _time(self, text: str) -> float:
        try:
            return float(seconds(text))
        except ValueError:
            raise AclError(f'bad time value in ACL condition "verify {self.text}"') from None


FLAGS: Final = frozenset({"defer_ok", "fullpostmaster", "hold", "no_cache", "random", "use_postmaster", "use_sender"})


def _split(text: str) -> list[str]:
    """The parts between slashes; a doubled slash stands for one."""
    return [part.replace("\0", "/") for part in text.replace("//", "\0").split("/")]
