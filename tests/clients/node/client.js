"use strict";
// A service in Node: publishes and consumes events by the wire contract, with NATS's own packages.
const USAGE = `
    client.js golden FILE...
    client.js publish URL                                  lines of JSON on standard input
    client.js consume URL STREAM DURABLE COUNT EVENTS      EVENTS: the events it knows, as JSON

Each message that is published or consumed is answered with one line of JSON.
`;

const { AckPolicy, JetStreamApiError, jetstream, jetstreamManager } = require("@nats-io/jetstream");
const { connect, headers: newHeaders } = require("@nats-io/transport-node");
const json = require("./exact_json.js");
const golden = require("./golden.js");
const { Envelope, storyOf } = require("./envelope.js");
const { headersFor, trace } = require("./headers.js");
const { Refused, UnknownSubject } = require("./refused.js");
const { Events, subjectWith } = require("./subjects.js");
const { Version } = require("./version.js");

/** Milliseconds until an event that is too new for this reader is delivered again. */
const PUT_BACK_FOR = 1_000;

/** Milliseconds to wait for the server before it is an error. */
const PATIENCE = 30_000;

/** Publishes what each line asks for, and answers where it is stored. */
async function publish(url) {
  const connection = await connect({ servers: url, reconnect: false });
  const stream = jetstream(connection, { timeout: PATIENCE });
  for await (const line of lines(process.stdin)) {
    const { event_id, subject, body, headers } = message(json.read(line));
    const stored = await stream.publish(subject, body, { headers, timeout: PATIENCE });
    answer({ stream: stored.stream, sequence: stored.seq, duplicate: stored.duplicate, event_id });
  }
  await connection.close();
}

/** Lines end with a line feed alone: `node:readline` ends them within JSON texts, at U+2028, too. */
async function* lines(input) {
  let unfinished = "";
  for await (const chunk of input.setEncoding("utf-8")) {
    const parts = (unfinished + chunk).split("\n");
    unfinished = parts.pop();
    yield* parts;
  }
  if (unfinished !== "") yield unfinished;
}

/** An event with what the line says of it, or the very body that the line has. */
function message(line) {
  const subject = subjectWith(line.subject, line.key);
  const own = line.headers ?? {};
  if ("body" in line) return { event_id: null, subject, body: Buffer.from(line.body), headers: written(own) };
  const envelope = Envelope.create({
    event_type: line.type,
    version: Version.read(line.version ?? "1.0"),
    source: line.source ?? "node",
    data: json.write(line.data),
    event_id: line.event_id,
    story: line.caused_by && storyOf(line.caused_by),
    metadata: new Map(Object.entries(line.metadata ?? {}).map(([name, value]) => [name, json.write(value)])),
  });
  envelope.correlation_id = line.correlation_id ?? envelope.correlation_id;
  envelope.key = line.key ?? line.key_beside_subject ?? null;
  return {
    event_id: envelope.event_id,
    subject,
    body: envelope.write(),
    headers: written(headersFor(envelope, own)),
  };
}

function written(own) {
  const headers = newHeaders();
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  return headers;
}

/** Settles as many messages as it is told to, and answers what each was. */
async function consume(url, stream, durable, count, events) {
  const known = eventsKnown(json.read(events));
  const connection = await connect({ servers: url, reconnect: false });
  const manager = await jetstreamManager(connection, { timeout: PATIENCE });
  await createIfAbsent(manager.consumers, stream, durable);
  const consumer = await manager.jetstream().consumers.get(stream, durable);
  for (let left = Number(count); left > 0; left--) {
    const received = await consumer.next({ expires: PATIENCE });
    if (!received) throw new Error(`no message came for ${PATIENCE} ms, and ${left} are missing`);
    await settle(known, received);
  }
  await connection.drain();
}

async function createIfAbsent(consumers, stream, durable) {
  try {
    await consumers.info(stream, durable);
  } catch (error) {
    if (!(error instanceof JetStreamApiError && error.status === 404)) throw error;
    await consumers.add(stream, { durable_name: durable, ack_policy: AckPolicy.Explicit });
  }
}

/** The events of the table; the type is `<entity>.<action>` unless it says another. */
function eventsKnown({ prefix = "events", events }) {
  const known = events.map(({ type, version = "1.0", ...event }) => ({
    ...event,
    event_type: type ?? event.subject.split(".").slice(1).join("."),
    version: Version.read(version),
  }));
  return new Events(prefix, known);
}

/** Tells the server what becomes of a message: it is done, comes again later, or never. */
async function settle(known, received) {
  const about = {
    subject: received.subject,
    sequence: received.seq,
    deliveries: received.info.deliveryCount,
  };
  let read;
  try {
    read = known.read(received.subject, received.data);
    if (read.arrival === "older") {
      throw new Refused(
        `version ${read.envelope.version} is older than ${read.event.version}, and nothing converts it`,
      );
    }
  } catch (error) {
    if (error instanceof UnknownSubject) {
      received.nak(PUT_BACK_FOR);
      answer({ outcome: "unknown", ...about, reason: error.message, key: keyOf(received.data) });
      return;
    }
    if (!(error instanceof Refused)) throw error;
    received.term(error.message);
    answer({ outcome: "refused", ...about, reason: error.message });
    return;
  }
  const { arrival, event, key, envelope } = read;
  if (arrival === "newer") {
    received.nak(PUT_BACK_FOR);
    answer({ outcome: "newer", ...about, version: `${envelope.version}`, knows: `${event.version}`, key });
    return;
  }
  answer({
    outcome: "event",
    ...about,
    event: event.subject,
    key,
    ...shown(envelope),
    ...shownHeaders(received),
  });
  await received.ackAck({ timeout: PATIENCE });
}

/** The key of an event that is not known here, by which it is held in order. */
function keyOf(body) {
  try {
    return Envelope.read(body).key;
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

/** An envelope with its data read into values of this language. */
function shown(envelope) {
  const { event_id, event_type, timestamp, source, version, correlation_id, causation_id } = envelope;
  return {
    event_id,
    event_type,
    timestamp,
    source,
    version: `${version}`,
    data: envelope.values(),
    correlation_id,
    causation_id,
    metadata: values(envelope.metadata),
    unknown: values(envelope.unknown),
  };
}

const values = (pairs) => Object.fromEntries(Array.from(pairs, ([name, text]) => [name, json.read(text)]));

/** The headers, and the trace if there is a valid one. */
function shownHeaders(received) {
  const headers = Object.fromEntries(
    (received.headers?.keys() ?? []).map((name) => [name, received.headers.last(name)]),
  );
  return { headers, trace: trace(headers) };
}

/** One line on standard output. */
const answer = (fields) => process.stdout.write(`${json.write(fields)}\n`);

async function main([command, ...rest]) {
  if (command === "golden" && rest.length > 0) return golden.run(rest) ? 0 : 1;
  if (command === "publish" && rest.length === 1) await publish(...rest);
  else if (command === "consume" && rest.length === 5) await consume(...rest);
  else {
    console.error(USAGE);
    return 2;
  }
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error) => {
    console.error(`${error.name}: ${error.message}`);
    process.exit(1);
  },
);
