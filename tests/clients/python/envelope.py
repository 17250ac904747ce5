"""The body of a message: read tolerantly, written in one way.

Values that this side does not name (data, unknown fields, metadata) are kept as the JSON text that
they came as, so that they are handed on unchanged.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import exact_json
from refused import Refused
from version import Version

BODY_LIMIT = 8 * 1024 * 1024
"""The largest body that is read, in bytes."""


@dataclass(frozen=True)
class Envelope:
    """One event, read or to be written."""

    event_id: str
    event_type: str
    timestamp: str
    source: str
    version: Version
    data: str
    """JSON text; `values` reads it."""
    correlation_id: str | None = None
    causation_id: str | None = None
    key: str | None = None
    """What must stay in order together."""
    metadata: dict[str, str] = field(default_factory=dict)
    """What else stands in the metadata: name and JSON text."""
    unknown: tuple[tuple[str, str], ...] = ()
    """What else stands in the envelope: name and JSON text."""

    @classmethod
    def new(
        cls,
        event_type: str,
        version: Version,
        source: str,
        data: str,
        event_id: str | None = None,
        story: Story | None = None,
    ) -> Envelope:
        """A new event: the first of its story, or caused by another one that gives its story."""
        event_id = event_id or new_id()
        return cls(
            event_id=event_id,
            event_type=event_type,
            timestamp=timestamp(datetime.now(timezone.utc)),
            source=source,
            version=version,
            data=data,
            correlation_id=story.correlation_id if story else event_id,
            causation_id=story.causation_id if story else None,
        )

    @classmethod
    def read(cls, body: bytes) -> Envelope:
        """Reads a body. Raises `Refused` where the contract is not kept."""
        if len(body) > BODY_LIMIT:
            raise Refused(f"the body has {len(body)} bytes, and {BODY_LIMIT} are read")
        try:
            fields, unknown = _sort_out(exact_json.members(body.decode("utf-8")), _FIELDS, "the envelope")
            entries = _metadata(fields.get("metadata"))
        except ValueError as error:
            raise (
                error if isinstance(error, Refused) else Refused(f"the body is no JSON object: {error}")
            ) from error
        ids, others = _sort_out(entries, _NAMED, "metadata")
        ids, others = _only_texts(ids, dict(others))
        source = _text(fields, "source", required=False)
        version = _text(fields, "version", required=False)
        return cls(
            event_id=_uuid(_text(fields, "event_id")),
            event_type=_text(fields, "event_type"),
            timestamp=_timestamp(_text(fields, "timestamp")),
            source="unknown" if source is None else source,
            version=Version(1, 0) if version is None else Version.read(version),
            data=_data(fields),
            correlation_id=_text(ids, "correlation_id", required=False),
            causation_id=_text(ids, "causation_id", required=False),
            key=_text(ids, "key", required=False),
            metadata=others,
            unknown=unknown,
        )

    def write(self) -> bytes:
        """The body of the message."""
        if self.key is not None and not _is_key(self.key):
            raise Refused(f"the key has more than {_KEY_BYTES} bytes")
        named = (
            ("correlation_id", self.correlation_id),
            ("causation_id", self.causation_id),
            ("key", self.key),
        )
        entries = [(name, _own(value)) for name, value in named if value is not None]
        entries += self.metadata.items()
        if len(entries) > _METADATA_ENTRIES:
            raise Refused(f"metadata has {len(entries)} entries, and {_METADATA_ENTRIES} are the most")
        fields = [
            ("event_id", _own(self.event_id)),
            ("event_type", _own(self.event_type)),
            ("timestamp", _own(self.timestamp)),
            ("source", _own(self.source)),
            ("version", _own(str(self.version))),
            ("data", self.data),
            ("metadata", json_object(entries)),
            *self.unknown,
        ]
        return json_object(fields).encode("utf-8")

    def values(self):
        """The data as Python values; numbers as `exact_json.Number`, which are exact."""
        return exact_json.read(self.data)


@dataclass(frozen=True)
class Story:
    """What an event inherits from the one that has caused it."""

    correlation_id: str
    causation_id: str

    @classmethod
    def of(cls, event_id: str, correlation_id: str | None) -> Story:
        """The story that goes on with what this event causes."""
        return cls(correlation_id=correlation_id or event_id, causation_id=event_id)


def json_object(members) -> str:
    """The text of an object whose values are JSON texts already."""
    return "{" + ",".join(f"{exact_json.write(name)}:{text}" for name, text in members) + "}"


def new_id() -> str:
    """A UUID of version 7."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return str(uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62))


def timestamp(moment: datetime) -> str:
    """A moment as the contract writes it: RFC 3339, UTC with `Z`, six fractional digits."""
    moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"


_FIELDS = ("event_id", "event_type", "timestamp", "source", "version", "data", "metadata")
_NAMED = ("correlation_id", "causation_id", "key")
_KEY_BYTES = 255
_METADATA_ENTRIES = 256
_DEPTH = 127


def _sort_out(members, names, where):
    """The members with these names, at most one each, and the others."""
    known, others = {}, []
    for member in members:
        if member.name not in names:
            others.append((member.name, member.text))
        elif member.name in known:
            raise Refused(f"{member.name} stands twice in {where}")
        else:
            known[member.name] = member
    return known, tuple(others)


def _metadata(member):
    if member is None or member.value is None:
        return []
    if not isinstance(member.value, dict):
        raise Refused("metadata is no object")
    entries = exact_json.members(member.text)
    if len(entries) > _METADATA_ENTRIES:
        raise Refused(f"metadata has {len(entries)} entries, and {_METADATA_ENTRIES} are the most")
    return entries


def _only_texts(ids, others):
    """An id or key that is neither a text nor null is an entry like any other, and so is a long key."""
    entries = {
        name: member.text
        for name, member in ids.items()
        if not isinstance(member.value, (str, type(None)))
        or (name == "key" and member.value is not None and not _is_key(_whole(member.value)))
    }
    return {name: member for name, member in ids.items() if name not in entries}, entries | others


def _is_key(text):
    return len(text.encode("utf-8", "surrogatepass")) <= _KEY_BYTES


def _text(members, name, required=True):
    member = members.get(name)
    if not required and (member is None or member.value is None):
        return None
    if member is None:
        raise Refused(f"{name} is missing")
    if not isinstance(member.value, str):
        raise Refused(f"{name} is no text")
    return _whole(member.value)


def _own(text):
    """The JSON of a text that this side writes."""
    return exact_json.write(_whole(text))


def _whole(text):
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise Refused(f"{text!r} has half a surrogate pair, which is no character")
    return text


def _data(fields):
    member = fields.get("data")
    if member is None:
        raise Refused("data is missing")
    if exact_json.depth(member.value) > _DEPTH:
        raise Refused(f"data has more than {_DEPTH} nested values")
    return member.text


def _uuid(text):
    """With hyphens, in any case, also in braces or as a URN; or its 32 digits alone."""
    if not _UUID.fullmatch(text):
        raise Refused(f"event_id {text!r} is no UUID")
    return str(uuid.UUID(text.lower()))


_HYPHENATED = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID = re.compile(rf"[0-9a-f]{{32}}|(?:urn:uuid:)?{_HYPHENATED}|\{{{_HYPHENATED}\}}", re.IGNORECASE)


def _timestamp(text):
    """Reads RFC 3339; what is finer than a microsecond is cut, and a leap second is the one before."""
    found = _RFC_3339.fullmatch(text)
    if not found:
        raise Refused(f"timestamp {text!r} is no RFC 3339 with an offset")
    date, clock, second, fraction, offset = found.groups()
    micros = int((fraction or "")[:6].ljust(6, "0"))
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}:{'59' if second == '60' else second}")
        moment = moment.replace(microsecond=micros)
        years = moment.year, (moment := moment - _offset(offset)).year
        if second == "60" and not _ends_a_month(moment):
            raise ValueError("there is no leap second")
    except (ValueError, OverflowError) as error:
        raise Refused(f"timestamp {text!r} is no time: {error}") from error
    if not all(1 <= year <= 9998 for year in years):
        raise Refused(f"timestamp {text!r} is not in the years 0001 to 9998")
    return timestamp(moment.replace(tzinfo=timezone.utc))


def _ends_a_month(moment):
    """Whether this is the last second of a month, behind which a leap second can be."""
    after = moment.replace(microsecond=0) + timedelta(seconds=1)
    return (after.day, after.time()) == (1, after.min.time())


def _offset(text):
    if text in "Zz":
        return timedelta()
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError(f"there is no offset {text}")
    return (-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes)


_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]((?:[01][0-9]|2[0-3]):[0-9]{2}):([0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
