"use strict";
// The body of a message: read tolerantly, written in one way.
//
// Values that this side does not name (data, unknown fields, metadata) are kept as the JSON text
// that they came as, so that they are handed on unchanged.

const { randomBytes } = require("node:crypto");
const json = require("./exact_json.js");
const { Refused } = require("./refused.js");
const { Version } = require("./version.js");

/** The largest body that is read, in bytes. */
const BODY_LIMIT = 8 * 1024 * 1024;

/**
 * One event, read or to be written. `data` is JSON text; so are the values of `metadata` (a map:
 * what stands there beside the two ids and the key) and of `unknown` (pairs: what else the envelope has).
 */
class Envelope {
  constructor(fields) {
    Object.assign(
      this,
      { correlation_id: null, causation_id: null, key: null, metadata: new Map(), unknown: [] },
      fields,
    );
  }

  /** A new event: the first of its story, or caused by another one that gives its story. */
  static create({ event_type, version, source, data, event_id = newId(), story, metadata = new Map() }) {
    const { correlation_id, causation_id } = story ?? { correlation_id: event_id, causation_id: null };
    const timestamp = new Date().toISOString().replace("Z", "000Z");
    return new Envelope({
      event_id,
      event_type,
      timestamp,
      source,
      version,
      data,
      correlation_id,
      causation_id,
      metadata,
    });
  }

  /** Reads a body. Throws `Refused` where the contract is not kept. */
  static read(body) {
    if (body.length > BODY_LIMIT)
      throw new Refused(`the body has ${body.length} bytes, and ${BODY_LIMIT} are read`);
    let members;
    try {
      members = json.members(UTF_8.decode(body));
    } catch (error) {
      throw new Refused(`the body is no JSON object: ${error.message}`, { cause: error });
    }
    const [fields, unknown] = sortOut(members, FIELDS, "the envelope");
    const [named, metadata] = onlyTexts(...sortOut(entries(fields.get("metadata")), NAMED, "metadata"));
    const version = text(fields, "version", OPTIONAL);
    return new Envelope({
      event_id: uuid(text(fields, "event_id")),
      event_type: text(fields, "event_type"),
      timestamp: timestamp(text(fields, "timestamp")),
      source: text(fields, "source", OPTIONAL) ?? "unknown",
      version: version === null ? new Version(1, 0) : Version.read(version),
      data: data(fields),
      correlation_id: text(named, "correlation_id", OPTIONAL),
      causation_id: text(named, "causation_id", OPTIONAL),
      key: text(named, "key", OPTIONAL),
      metadata,
      unknown,
    });
  }

  /** The body of the message. */
  write() {
    if (this.key !== null && !isKey(this.key)) throw new Refused(`the key has more than ${KEY_BYTES} bytes`);
    const named = NAMED.filter((name) => this[name] !== null).map((name) => [name, own(this[name])]);
    const metadata = [...named, ...this.metadata];
    limitEntries(metadata);
    const object = jsonObject([
      ["event_id", own(this.event_id)],
      ["event_type", own(this.event_type)],
      ["timestamp", own(this.timestamp)],
      ["source", own(this.source)],
      ["version", own(`${this.version}`)],
      ["data", this.data],
      ["metadata", jsonObject(metadata)],
      ...this.unknown,
    ]);
    return Buffer.from(object, "utf-8");
  }

  /** The data as JavaScript values; numbers as `LosslessNumber`, which are exact. */
  values() {
    return json.read(this.data);
  }
}

/** What an event inherits from the one that has caused it. */
const storyOf = ({ event_id, correlation_id }) => ({
  correlation_id: correlation_id ?? event_id,
  causation_id: event_id,
});

/** The text of an object whose values are JSON texts already. */
const jsonObject = (members) =>
  `{${members.map(([name, value]) => `${json.write(name)}:${value}`).join(",")}}`;

/** A UUID of version 7. */
function newId() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return hyphenated(bytes.toString("hex"));
}

const FIELDS = ["event_id", "event_type", "timestamp", "source", "version", "data", "metadata"];
const NAMED = ["correlation_id", "causation_id", "key"];
const KEY_BYTES = 255;
const METADATA_ENTRIES = 256;
const DEPTH = 127;
const OPTIONAL = true;
// `ignoreBOM` leaves a byte order mark where it is, so that it is refused.
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The members with these names, at most one each, and the others as pairs. */
function sortOut(members, names, where) {
  const known = new Map();
  const others = [];
  for (const member of members) {
    if (!names.includes(member.name)) others.push([member.name, member.text]);
    else if (known.has(member.name)) throw new Refused(`${member.name} stands twice in ${where}`);
    else known.set(member.name, member);
  }
  return [known, others];
}

function entries(metadata) {
  if ((metadata?.value ?? null) === null) return [];
  if (!json.isObject(metadata.value)) throw new Refused("metadata is no object");
  return limitEntries(json.members(metadata.text));
}

function limitEntries(metadata) {
  if (metadata.length <= METADATA_ENTRIES) return metadata;
  throw new Refused(`metadata has ${metadata.length} entries, and ${METADATA_ENTRIES} are the most`);
}

/** An id or key that is neither a text nor null is an entry like any other, and so is a long key. */
function onlyTexts(named, others) {
  const isNamed = ([name, { value }]) =>
    value === null || (typeof value === "string" && (name !== "key" || isKey(whole(value))));
  const [texts, entries] = [true, false].map((wanted) =>
    [...named].filter((member) => isNamed(member) === wanted),
  );
  return [new Map(texts), new Map([...entries.map(([name, member]) => [name, member.text]), ...others])];
}

const isKey = (text) => Buffer.byteLength(text) <= KEY_BYTES;

function text(members, name, optional = false) {
  const value = members.get(name)?.value;
  if (optional && (value ?? null) === null) return null;
  if (value === undefined) throw new Refused(`${name} is missing`);
  if (typeof value !== "string") throw new Refused(`${name} is no text`);
  return whole(value);
}

/** The JSON of a text that this side writes. */
const own = (text) => json.write(whole(text));

function whole(text) {
  if (!/\p{Cs}/u.test(text)) return text;
  throw new Refused(`${JSON.stringify(text)} has half a surrogate pair, which is no character`);
}

function data(fields) {
  const member = fields.get("data");
  if (member === undefined) throw new Refused("data is missing");
  if (json.depth(member.value) > DEPTH) throw new Refused(`data has more than ${DEPTH} nested values`);
  return member.text;
}

/** With hyphens, in any case, also in braces or as a URN; or its 32 digits alone. */
function uuid(text) {
  if (!UUID.test(text)) throw new Refused(`event_id ${JSON.stringify(text)} is no UUID`);
  return hyphenated(text.toLowerCase().replaceAll(/^urn:uuid:|[{}-]/g, ""));
}

const HYPHENATED = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const UUID = new RegExp(`^(?:[0-9a-f]{32}|(?:urn:uuid:)?${HYPHENATED}|\\{${HYPHENATED}\\})$`, "i");

const hyphenated = (hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

/** Reads RFC 3339; what is finer than a microsecond is cut, and a leap second is the one before. */
function timestamp(text) {
  const found = RFC_3339.exec(text)?.groups;
  if (!found) throw new Refused(`timestamp ${text} is no RFC 3339 with an offset`);
  const local = `${found.minute}:${found.second === "60" ? "59" : found.second}`.toUpperCase();
  const moment = Date.parse(`${local}Z`);
  // `Date` takes the 31st of April for the 1st of May.
  if (Number.isNaN(moment) || !new Date(moment).toISOString().startsWith(local)) {
    throw new Refused(`timestamp ${text} is no time`);
  }
  const utc = new Date(moment - ahead(found.offset) * 60_000).toISOString();
  if (found.second === "60" && !/-01T00:00:00/.test(new Date(Date.parse(utc) + 1000).toISOString())) {
    throw new Refused(`timestamp ${text} is no time: there is no leap second`);
  }
  const known = (time) => /^\d{4}-/.test(time) && time >= "0001" && time < "9999";
  if (!known(local) || !known(utc)) throw new Refused(`timestamp ${text} is not in the years 0001 to 9998`);
  return `${utc.slice(0, 19)}.${(found.fraction ?? "").slice(0, 6).padEnd(6, "0")}Z`;
}

/** How many minutes a local time with this offset is ahead of UTC. */
function ahead(offset) {
  if (/z/i.test(offset)) return 0;
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(4))];
  if (hours > 23 || minutes > 59) throw new Refused(`there is no offset ${offset}`);
  return (offset[0] === "-" ? -1 : 1) * (hours * 60 + minutes);
}

const RFC_3339 =
  /^(?<minute>\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d):(?<second>\d\d)(?:\.(?<fraction>\d+))?(?<offset>Z|[+-]\d\d:\d\d)$/i;

module.exports = { Envelope, storyOf };
