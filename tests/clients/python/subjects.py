"""Subjects with the keys in them, and the events that a reader finds by them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from envelope import Envelope
from refused import Refused, UnknownSubject
from version import Arrival, Version


def escape_key(key: str) -> str:
    """The token of a key in a subject."""
    token = (
        "".join(chr(byte) if chr(byte) in _PLAIN else f"={byte:02X}" for byte in key.encode("utf-8")) or "="
    )
    if len(token) > 255:
        raise Refused(f"the key {key!r} has {len(token)} bytes after escaping, and 255 are the most")
    return token


def unescape_key(token: str) -> str:
    """The key of a token; what escaping never writes is refused."""
    if token == "=":
        return ""
    try:
        key = re.sub(b"=([0-9A-F]{2})", lambda pair: bytes.fromhex(pair[1].decode()), token.encode()).decode(
            "utf-8"
        )
    except UnicodeError as error:
        raise Refused(f"the key {token!r} is no UTF-8") from error
    if not key or escape_key(key) != token:
        raise Refused(f"the key {token!r} is not escaped as the contract says")
    return key


def subject_with(subject: str, key: str | None) -> str:
    """The subject to publish to; the key only where the event has it there."""
    tokens = subject.split(".")
    if "" in tokens or _NOT_IN_SUBJECTS.search(subject):
        raise Refused(f"{subject!r} is no subject that one can publish to")
    if tokens[0].startswith("$") or tokens[0] in ("_INBOX", "_R_", "_GR_"):
        raise Refused(f"{subject!r} is a subject of the server's own")
    return subject if key is None else f"{subject}.{escape_key(key)}"


@dataclass(frozen=True)
class Event:
    """An event that a reader knows."""

    subject: str
    """The relative subject, or a whole one that takes no prefix."""
    version: Version
    event_type: str
    key_in_subject: bool = False
    absolute: bool = False

    def full_subject(self, prefix: str) -> str:
        """The subject that it arrives on, without its key."""
        return self.subject if self.absolute else f"{prefix}.{self.subject}"


class Events:
    """The events that a reader knows, found by the subject that a message arrives on."""

    def __init__(self, prefix: str, events: list[Event]):
        self._known = {(event.full_subject(prefix), event.key_in_subject): event for event in events}

    def find(self, subject: str) -> tuple[Event, str | None]:
        """The event with this subject, and the key in it."""
        if event := self._known.get((subject, False)):
            return event, None
        without_key, _, token = subject.rpartition(".")
        if event := self._known.get((without_key, True)):
            return event, unescape_key(token)
        raise UnknownSubject(f"no event that is known here has the subject {subject!r}")

    def read(self, subject: str, body: bytes) -> tuple[Arrival, Event, str | None, Envelope]:
        """Reads a message; the type must be that of the event with this subject."""
        event, key_in_subject = self.find(subject)
        envelope = Envelope.read(body)
        if envelope.event_type != event.event_type:
            raise Refused(
                f"{subject!r} carries {event.event_type!r}, and this says that it is {envelope.event_type!r}"
            )
        key = key_in_subject if envelope.key is None else envelope.key
        return event.version.arrival(envelope.version), event, key, envelope


_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_NOT_IN_SUBJECTS = re.compile(
    "[*>"
    # White space.
    "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    # Control characters.
    "\x00-\x1f\x7f-\x9f"
    # Format characters that show nothing.
    "\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
