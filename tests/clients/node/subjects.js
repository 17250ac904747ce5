"use strict";
// Subjects with the keys in them, and the events that a reader finds by them.

const { Envelope } = require("./envelope.js");
const { Refused, UnknownSubject } = require("./refused.js");

/** The token of a key in a subject. */
function escapeKey(key) {
  const escaped = (byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  const sign = (byte) => (PLAIN.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : escaped(byte));
  const token = Array.from(Buffer.from(key, "utf-8"), sign).join("") || "=";
  if (token.length > 255)
    throw new Refused(`the key ${key} has ${token.length} bytes after escaping, and 255 are the most`);
  return token;
}

/** The key of a token; what escaping never writes is refused. */
function unescapeKey(token) {
  if (token === "=") return "";
  const bytes = token.replaceAll(/=([0-9A-F]{2})/g, (_, pair) =>
    String.fromCharCode(Number.parseInt(pair, 16)),
  );
  let key = "";
  try {
    key = UTF_8.decode(Buffer.from(bytes, "latin1"));
  } catch (error) {
    throw new Refused(`the key ${token} is no UTF-8`, { cause: error });
  }
  if (key === "" || escapeKey(key) !== token)
    throw new Refused(`the key ${token} is not escaped as the contract says`);
  return key;
}

/** The subject to publish to; the key only where the event has it there. */
function subjectWith(subject, key) {
  const tokens = subject.split(".");
  if (tokens.includes("") || NOT_IN_SUBJECTS.some((characters) => characters.test(subject))) {
    throw new Refused(`${JSON.stringify(subject)} is no subject that one can publish to`);
  }
  if (tokens[0].startsWith("$") || ["_INBOX", "_R_", "_GR_"].includes(tokens[0])) {
    throw new Refused(`${subject} is a subject of the server's own`);
  }
  return key === undefined ? subject : `${subject}.${escapeKey(key)}`;
}

/** The events that a reader knows, found by the subject that a message arrives on. */
class Events {
  #known = new Map();

  /** Each event has a `subject`, an `event_type`, a `version`, and may be `absolute` or have its `key_in_subject`. */
  constructor(prefix, events) {
    for (const event of events) {
      const subject = event.absolute ? event.subject : `${prefix}.${event.subject}`;
      this.#known.set(event.key_in_subject ? `${subject}.*` : subject, event);
    }
  }

  /** The event with this subject, and the key in it. */
  find(subject) {
    const event = this.#known.get(subject);
    if (event) return [event, null];
    const dot = subject.lastIndexOf(".");
    const keyed = this.#known.get(`${subject.slice(0, dot)}.*`);
    if (keyed) return [keyed, unescapeKey(subject.slice(dot + 1))];
    throw new UnknownSubject(`no event that is known here has the subject ${subject}`);
  }

  /** Reads a message; the type must be that of the event with this subject. */
  read(subject, body) {
    const [event, keyInSubject] = this.find(subject);
    const envelope = Envelope.read(body);
    if (envelope.event_type !== event.event_type) {
      throw new Refused(
        `${subject} carries ${event.event_type}, and this says that it is ${envelope.event_type}`,
      );
    }
    const key = envelope.key ?? keyInSubject;
    return { arrival: event.version.arrival(envelope.version), event, key, envelope };
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const NOT_IN_SUBJECTS = [
  /[*>]/,
  // White space.
  /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/,
  // Control characters.
  /\p{Cc}/u,
  // Format characters that show nothing.
  /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u,
];
const PLAIN = /^[A-Za-z0-9_-]$/;

module.exports = { Events, escapeKey, subjectWith, unescapeKey };
