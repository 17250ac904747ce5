"""The version of an event's data, and what a reader does with another one than it knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from refused import Refused


@dataclass(frozen=True)
class Version:
    """The version of an event's data."""

    major: int
    minor: int

    @classmethod
    def read(cls, text: str) -> Version:
        """Reads `2.1`, or `2` for `2.0`."""
        found = re.fullmatch(r"0*([0-9]{1,5})(?:\.0*([0-9]{1,5}))?", text)
        numbers = [int(number or 0) for number in found.groups()] if found else []
        if not found or max(numbers) > 65535:
            raise Refused(f"version {text!r} is no major.minor")
        return cls(*numbers)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def arrival(self, arrived: Version) -> Arrival:
        """What a reader that knows this version does with what has arrived in another."""
        if arrived.major > self.major:
            return Arrival.NEWER
        return Arrival.OLDER if arrived.major < self.major else Arrival.READABLE


class Arrival(Enum):
    """How the version of an event stands to the one that its reader knows."""

    READABLE = "readable"
    NEWER = "newer"
    """Only early: it is put back with a delay."""
    OLDER = "older"
    """Refused, unless the reader has a conversion."""
