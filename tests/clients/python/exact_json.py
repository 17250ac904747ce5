"""JSON in which nothing is lost: numbers keep their digits, objects can be split into their members.

Python's own `json` rounds 1e400 to infinity and writes what is no JSON for it, keeps the last of
two members with one name in silence, and takes NaN. Here they stay, are seen, and are refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Number:
    """A number as it was written, of any size."""

    text: str

    def value(self) -> int | Decimal:
        """Its exact value: an `int` where it is written as one."""
        return int(self.text) if re.fullmatch("-?[0-9]+", self.text) else Decimal(self.text)


@dataclass(frozen=True)
class Member:
    """A member of an object: its name, its value, and the value as it was written."""

    name: str
    value: object
    text: str


def read(text: str):
    """Reads one value. Raises `ValueError` if the text is anything else."""
    value, end = _value(text, _space(text, 0))
    if _space(text, end) != len(text):
        raise ValueError(f"something follows the value at character {end}")
    return value


def members(text: str) -> list[Member]:
    """Reads an object and gives its members in their order, those of one name too."""
    at = _expect(text, _space(text, 0), "{")
    found: list[Member] = []
    if text[at : at + 1] != "}":
        at = _member(text, at, found)
        while text[at : at + 1] == ",":
            at = _member(text, _space(text, at + 1), found)
    if _expect(text, at, "}") != len(text):
        raise ValueError(f"something follows the object at character {at + 1}")
    return found


def write(value) -> str:
    """Writes a value that `read` gave, or that Python's own types make, without white space."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_string(name)}:{write(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(write(item) for item in value) + "]"
    return json.dumps(value, allow_nan=False)


def depth(value) -> int:
    """How many arrays and objects stand in one another: 0 for a text, 1 for `[]`, 2 for `[[]]`."""
    levels, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        levels += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return levels


def _member(text: str, at: int, found: list[Member]) -> int:
    """Reads one member into `found` and gives the place of the sign that follows it."""
    if text[at : at + 1] != '"':
        raise ValueError(f"a name in quotes is missing at character {at}")
    name, at = _value(text, at)
    start = _expect(text, _space(text, at), ":")
    value, end = _value(text, start)
    found.append(Member(name, value, text[start:end]))
    return _space(text, end)


def _value(text: str, at: int):
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise ValueError("too many values stand in one another") from None


def _expect(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise ValueError(f"{sign!r} is missing at character {at}")
    return _space(text, at + 1)


def _space(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()


def _string(value: str) -> str:
    """Only what JSON does not allow in a string is escaped; half a surrogate pair has no UTF-8."""
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", json.dumps(value, ensure_ascii=False))


def _no_constant(name: str):
    raise ValueError(f"{name} is no JSON")


_SPACE = re.compile(r"[ \t\n\r]*")
_HALF = re.compile("[\ud800-\udfff]")
_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_no_constant)
