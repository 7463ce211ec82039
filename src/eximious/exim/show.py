"""Sizes and ages in the few columns that listings of the queue give them."""

from __future__ import annotations

from typing import Final

KILO: Final = 1024
MEGA: Final = 1024 * 1024


def size(octets: int) -> str:
    """Five columns: octets below 1K, then K and M, with one decimal place while there is room for it."""
    if octets == 0:
        return "     "
    if octets < KILO:
        return f"{octets:5d}"
    if octets < 10 * KILO:
        return f"{octets / KILO:4.1f}K"
    if octets < MEGA:
        return f"{(octets + KILO // 2) // KILO:4d}K"
    if octets < 10 * MEGA:
        return f"{octets / MEGA:4.1f}M"
    return f"{(octets + MEGA // 2) // MEGA:4d}M"


def age(seconds: float) -> str:
    """Three columns: minutes below 90, hours below 72, then days."""
    minutes = int(max(seconds, 0)) // 60
    if minutes <= 90:
        return f"{minutes:2d}m"
    hours = (minutes + 30) // 60
    if hours <= 72:
        return f"{hours:2d}h"
    return f"{(hours + 12) // 24:2d}d"
