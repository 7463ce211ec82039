"""``/etc/resolv.conf``: which servers to ask, how long, and how short names are completed. See resolv.conf(5)."""

from __future__ import annotations

import os
from typing import Final

PATH: Final = "/etc/resolv.conf"
SERVER_LIMIT: Final = 3
SEARCH_LIMIT: Final = 32


class ResolvConf:
    """What the file says, with the system's defaults for what it does not."""

    __slots__ = (
        "attempts",
        "backs_off",
        "edns0",
        "ndots",
        "rotate",
        "search",
        "servers",
        "timeout",
        "trust_ad",
        "use_tcp",
    )

    def __init__(self) -> None:
        self.servers: list[tuple[str, int]] = []  # addresses and ports
        self.search: list[str] = []
        self.ndots = 1
        self.timeout = 5.0  # seconds
        self.backs_off = False  # give a server twice the time with each attempt
        self.attempts = 2
        self.rotate = False
        self.edns0 = False
        self.trust_ad = False  # the servers' word on DNSSEC is believed
        self.use_tcp = False


def parse(text: str, host_name: str = "") -> ResolvConf:
    """From the file's text; `host_name` gives the search domain if the file has none."""
    conf = ResolvConf()
    for line in text.splitlines():
        words = line.split("#")[0].split(";")[0].split()
        if len(words) < 2:
            continue
        match words[0]:
            case "nameserver":
                if len(conf.servers) < SERVER_LIMIT:
                    conf.servers.append((words[1], 53))
            case "domain":
                conf.search = [words[1].rstrip(".")]
            case "search":
                conf.search = [word.rstrip(".") for word in words[1 : SEARCH_LIMIT + 1]]
            case "options":
                for word in words[1:]:
                    _option(conf, word)
    if not conf.servers:
        conf.servers.append(("127.0.0.1", 53))
    if not conf.search and "." in host_name:
        conf.search = [host_name.partition(".")[2]]
    return conf


def _option(conf: ResolvConf, word: str) -> None:
    name, _, value = word.partition(":")
    match name:
        case "ndots" if value.isdigit():
            conf.ndots = min(int(value), 15)
        case "timeout" if value.isdigit():
            conf.timeout = float(min(int(value), 30))
        case "attempts" if value.isdigit():
            conf.attempts = min(int(value), 5)
        case "rotate":
            conf.rotate = True
        case "edns0":
            conf.edns0 = True
        case "trust-ad":
            conf.trust_ad = True
        case "use-vc":
            conf.use_tcp = True


def read(path: str = PATH) -> ResolvConf:
    """From the file; as if it were empty when there is none."""
    try:
        with open(path, encoding="latin-1") as file:
            text = file.read(65536)
    except OSError:
        text = ""
    conf = parse(text, os.uname().nodename)
    for word in os.environ.get("RES_OPTIONS", "").split():
        _option(conf, word)
    return conf


def stamp(path: str = PATH) -> tuple[int, int] | None:
    """Something that changes when the file does."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
