"""A service in Python: publishes and consumes events by the wire contract, with nats-py alone.

    client.py golden FILE...
    client.py publish URL                                  lines of JSON on standard input
    client.py consume URL STREAM DURABLE COUNT EVENTS      EVENTS: the events it knows, as JSON

Each message that is published or consumed is answered with one line of JSON.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import nats
from nats.js.api import AckPolicy, ConsumerConfig

import exact_json
import golden
from envelope import Envelope, Story
from headers import headers_for, trace
from refused import Refused, UnknownSubject
from subjects import Event, Events, subject_with
from version import Arrival, Version

PUT_BACK_FOR = 1
"""Seconds until an event that is too new for this reader is delivered again."""

PATIENCE = 30
"""Seconds to wait for the server before it is an error."""


async def publish(url: str) -> None:
    """Publishes what each line asks for, and answers where it is stored."""
    connection = await nats.connect(url, allow_reconnect=False)
    jetstream = connection.jetstream(timeout=PATIENCE)
    while line := await asyncio.to_thread(sys.stdin.readline):
        event_id, subject, body, headers = message(exact_json.read(line))
        stored = await jetstream.publish(subject, body, headers=headers)
        answer(stream=stored.stream, sequence=stored.seq, duplicate=bool(stored.duplicate), event_id=event_id)
    await connection.close()


def message(line: dict) -> tuple[str | None, str, bytes, dict[str, str]]:
    """An event with what the line says of it, or the very body that the line has."""
    subject = subject_with(line["subject"], line.get("key"))
    own = line.get("headers", {})
    if "body" in line:
        return None, subject, line["body"].encode("utf-8"), own
    cause = line.get("caused_by")
    envelope = Envelope.new(
        line["type"],
        Version.read(line.get("version", "1.0")),
        line.get("source", "python"),
        exact_json.write(line["data"]),
        event_id=line.get("event_id"),
        story=Story.of(cause["event_id"], cause["correlation_id"]) if cause else None,
    )
    envelope = replace(
        envelope,
        correlation_id=line.get("correlation_id", envelope.correlation_id),
        key=line.get("key", line.get("key_beside_subject")),
        metadata={name: exact_json.write(value) for name, value in line.get("metadata", {}).items()},
    )
    return envelope.event_id, subject, envelope.write(), headers_for(envelope, own)


async def consume(url: str, stream: str, durable: str, count: str, events: str) -> None:
    """Settles as many messages as it is told to, and answers what each was."""
    known = events_known(exact_json.read(events))
    connection = await nats.connect(url, allow_reconnect=False)
    jetstream = connection.jetstream(timeout=PATIENCE)
    config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT)
    subscription = await jetstream.pull_subscribe("", durable=durable, stream=stream, config=config)
    left = int(count)
    while left:
        for received in await subscription.fetch(min(left, 100), timeout=PATIENCE):
            await settle(known, received)
            left -= 1
    await connection.drain()


def events_known(table: dict) -> Events:
    """The events of the table; the type is `<entity>.<action>` unless it says another."""
    events = [
        Event(
            subject=event["subject"],
            event_type=event.get("type", ".".join(event["subject"].split(".")[1:])),
            version=Version.read(event.get("version", "1.0")),
            key_in_subject=event.get("key_in_subject", False),
            absolute=event.get("absolute", False),
        )
        for event in table["events"]
    ]
    return Events(table.get("prefix", "events"), events)


async def settle(known: Events, received) -> None:
    """Tells the server what becomes of a message: it is done, comes again later, or never."""
    sequence = received.metadata.sequence.stream
    about = {"subject": received.subject, "sequence": sequence, "deliveries": received.metadata.num_delivered}
    try:
        arrival, event, key, envelope = known.read(received.subject, received.data)
        if arrival is Arrival.OLDER:
            raise Refused(
                f"version {envelope.version} is older than {event.version}, and nothing converts it"
            )
    except UnknownSubject as reason:
        await received.nak(delay=PUT_BACK_FOR)
        answer(outcome="unknown", **about, reason=str(reason), key=key_of(received.data))
        return
    except Refused as reason:
        await received.term()
        answer(outcome="refused", **about, reason=str(reason))
        return
    if arrival is Arrival.NEWER:
        await received.nak(delay=PUT_BACK_FOR)
        answer(outcome="newer", **about, version=str(envelope.version), knows=str(event.version), key=key)
        return
    answer(
        outcome="event", **about, event=event.subject, key=key, **shown(envelope), **shown_headers(received)
    )
    await received.ack_sync(timeout=PATIENCE)


def key_of(body: bytes) -> str | None:
    """The key of an event that is not known here, by which it is held in order."""
    try:
        return Envelope.read(body).key
    except Refused:
        return None


def shown(envelope: Envelope) -> dict:
    """An envelope with its data read into values of this language."""
    return {
        "event_id": envelope.event_id,
        "event_type": envelope.event_type,
        "timestamp": envelope.timestamp,
        "source": envelope.source,
        "version": str(envelope.version),
        "data": envelope.values(),
        "correlation_id": envelope.correlation_id,
        "causation_id": envelope.causation_id,
        "metadata": {name: exact_json.read(text) for name, text in envelope.metadata.items()},
        "unknown": {name: exact_json.read(text) for name, text in envelope.unknown},
    }


def shown_headers(received) -> dict:
    """The headers, and the trace if there is a valid one."""
    headers = received.headers or {}
    return {"headers": headers, "trace": trace(headers)}


def answer(**fields) -> None:
    """One line on standard output."""
    print(exact_json.write(fields), flush=True)


def main(arguments: list[str]) -> str | int | None:
    """Runs the command; a text is the error that it ends with."""
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    command, *rest = arguments or [None]
    try:
        if command == "golden" and rest:
            return golden.run(rest)
        if command == "publish" and len(rest) == 1:
            return asyncio.run(publish(*rest))
        if command == "consume" and len(rest) == 5:
            return asyncio.run(consume(*rest))
    except (ValueError, KeyError, OSError, nats.errors.Error) as error:
        return f"{type(error).__name__}: {error}"
    return __doc__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
