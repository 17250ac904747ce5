"""Holds the contract to its golden vectors."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import exact_json
from envelope import Envelope
from refused import Refused
from subjects import escape_key, subject_with, unescape_key

EXPECTED = (
    "event_id",
    "event_type",
    "timestamp",
    "source",
    "version",
    "data",
    "correlation_id",
    "causation_id",
    "key",
)


def run(files: list[str]) -> int:
    """Prints how many vectors held and each that did not; 0 if all did."""
    held, failures = 0, []
    for file in files:
        groups = json.loads(Path(file).read_text(encoding="utf-8"))
        for group, vectors in groups.items():
            for vector in vectors:
                try:
                    fault = CHECKS[group](vector)
                except Refused as reason:
                    fault = f"it was refused: {reason}"
                if fault:
                    failures.append(f"{group}: {vector['name']}: {fault}")
                else:
                    held += 1
    print(json.dumps({"held": held, "failed": len(failures)}), flush=True)
    print("\n".join(failures), file=sys.stderr, end="\n" if failures else "")
    return 1 if failures else 0


def written(vector: dict) -> str | None:
    """What is read and written again has the same bytes."""
    body = vector["body"].encode("utf-8")
    again = Envelope.read(body).write()
    return None if again == body else f"it was written again as {again!r}"


def accepted(vector: dict) -> str | None:
    """It is read, with these values."""
    envelope = Envelope.read(vector["body"].encode("utf-8"))
    found = {name: getattr(envelope, name) for name in EXPECTED} | {"version": str(envelope.version)}
    return None if found == vector["expect"] else f"it was read as {found}"


def refused(vector: dict) -> str | None:
    """It is not read."""
    return None if refuses(Envelope.read, vector["body"].encode("utf-8")) else "it was read"


def keys(vector: dict) -> str | None:
    """The key and its token belong together."""
    token, key = escape_key(vector["key"]), unescape_key(vector["token"])
    return (
        None
        if (token, key) == (vector["token"], vector["key"])
        else f"it is {token!r}, and the token is {key!r}"
    )


def refused_keys(vector: dict) -> str | None:
    """There is no token for it."""
    return None if refuses(escape_key, vector["key"]) else "it was escaped"


def refused_tokens(vector: dict) -> str | None:
    """It is the token of no key."""
    return None if refuses(unescape_key, vector["token"]) else "it was unescaped"


def numbers(vector: dict) -> str | None:
    """It is read as this double, and what is written of that is read as the same."""
    bits = bytes.fromhex(vector["bits"])
    read = float(exact_json.read(vector["json"]).text)
    again = float(exact_json.read(exact_json.write(read)).text)
    found = [struct.pack(">d", number) for number in (read, again)]
    return None if found == [bits, bits] else f"it is {[number.hex() for number in found]}"


def subjects(vector: dict) -> str | None:
    """One can publish to it."""
    subject = subject_with(vector["subject"], None)
    return None if subject == vector["subject"] else f"it became {subject!r}"


def refused_subjects(vector: dict) -> str | None:
    """It is no subject."""
    refused = refuses(lambda subject: subject_with(subject, None), vector["subject"])
    return None if refused else "it was taken for a subject"


def refuses(function, argument) -> bool:
    """Whether the function refuses the argument."""
    try:
        function(argument)
    except Refused:
        return True
    return False


CHECKS = {
    check.__name__: check
    for check in (
        written,
        accepted,
        refused,
        keys,
        refused_keys,
        refused_tokens,
        numbers,
        subjects,
        refused_subjects,
    )
}
