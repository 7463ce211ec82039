"""Variables that tell the time of day."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from eximious.expand.variable import variable

if TYPE_CHECKING:
    from eximious.context import Context

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _local(context: Context) -> time.struct_time:
    return time.localtime(context.services.now())


def zone(moment: time.struct_time) -> str:
    """The offset from UTC: ``+0100``."""
    minutes = (moment.tm_gmtoff or 0) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


@variable
def tod_bsdinbox(context: Context) -> str:
    """As in the first line of a message in a mailbox: ``Thu Oct 17 17:14:09 1995``."""
    t = _local(context)
    clock = f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
    return f"{_DAYS[t.tm_wday]} {_MONTHS[t.tm_mon - 1]} {t.tm_mday:2d} {clock} {t.tm_year}"


@variable
def tod_epoch(context: Context) -> str:
    """Seconds since 1970."""
    return str(int(context.services.now()))


@variable
def tod_epoch_l(context: Context) -> str:
    """Microseconds since 1970."""
    return str(int(context.services.now() * 1_000_000))


@variable
def tod_full(context: Context) -> str:
    """As in a Date: header: ``Wed, 16 Oct 1995 09:51:40 +0100``."""
    t = _local(context)
    clock = f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
    return f"{_DAYS[t.tm_wday]}, {t.tm_mday:02d} {_MONTHS[t.tm_mon - 1]} {t.tm_year} {clock} {zone(t)}"


@variable
def tod_log(context: Context) -> str:
    """As in log lines: ``1995-10-12 15:32:29``."""
    t = _local(context)
    return f"{t.tm_year}-{t.tm_mon:02d}-{t.tm_mday:02d} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"


@variable
def tod_logfile(context: Context) -> str:
    """As in names of log files: ``19951012``."""
    t = _local(context)
    return f"{t.tm_year}{t.tm_mon:02d}{t.tm_mday:02d}"


@variable
def tod_zone(context: Context) -> str:
    """The offset from UTC: ``-0500``."""
    return zone(_local(context))


@variable
def tod_zulu(context: Context) -> str:
    """In UTC: ``20030221154023Z``."""
    t = time.gmtime(context.services.now())
    return f"{t.tm_year}{t.tm_mon:02d}{t.tm_mday:02d}{t.tm_hour:02d}{t.tm_min:02d}{t.tm_sec:02d}Z"
