"""Units that annotations name: what a number counts."""

from __future__ import annotations

from typing import TypeAlias

Seconds: TypeAlias = float
Bytes: TypeAlias = int
