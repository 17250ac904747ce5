"""What travels beside the body: the message id and the trace."""

from __future__ import annotations

import re
import unicodedata

from envelope import Envelope
from refused import Refused

MESSAGE_ID = "Nats-Msg-Id"
"""The header by which a stream recognizes duplicates."""


def headers_for(envelope: Envelope, own: dict[str, str]) -> dict[str, str]:
    """The headers to publish with; a message id in `own` goes before the event's."""
    headers = {MESSAGE_ID: envelope.event_id, **own}
    for name, value in headers.items():
        if not re.fullmatch("[!-9;-~]+", name):
            raise Refused(f"the header {name!r} is not visible ASCII without a colon")
        if any(unicodedata.category(char) == "Cc" for char in value):
            raise Refused(f"the header {name} has a control character")
        size = len(name.encode()) + len(value.encode())
        if size > 4096:
            raise Refused(f"the header {name} has {size} bytes with its name, and 4096 are the most")
    return headers


def trace(headers: dict[str, str]) -> dict[str, str]:
    """`traceparent`, and with it `tracestate`; each is left out if it is invalid."""
    found = {name.lower(): value for name, value in headers.items()}
    parent = _TRACEPARENT.fullmatch(found.get("traceparent", ""))
    if not parent or parent["version"] == "ff" or (parent["version"] == "00" and parent["more"]):
        return {}
    members = found.get("tracestate", "").split(",")
    state_is_valid = len(members) <= 32 and all(
        _TRACESTATE.fullmatch(member.strip(" \t")) for member in members
    )
    names = ("traceparent", "tracestate") if state_is_valid else ("traceparent",)
    return {name: found[name] for name in names}


_TRACEPARENT = re.compile(
    "(?P<version>[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-.*)?"
)
_TRACESTATE = re.compile(
    r"[a-z0-9][a-z0-9_*/@-]*=[\x20-\x2b\x2d-\x3c\x3e-\x7e]*[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
