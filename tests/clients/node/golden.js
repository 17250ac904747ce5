"use strict";
// Holds the contract to its golden vectors.

const { readFileSync } = require("node:fs");
const { isDeepStrictEqual } = require("node:util");
const json = require("./exact_json.js");
const { Envelope } = require("./envelope.js");
const { Refused } = require("./refused.js");
const { escapeKey, subjectWith, unescapeKey } = require("./subjects.js");

const EXPECTED = [
  "event_id",
  "event_type",
  "timestamp",
  "source",
  "version",
  "data",
  "correlation_id",
  "causation_id",
  "key",
];

/** Prints how many vectors held and each that did not; true if all did. */
function run(files) {
  let held = 0;
  const failures = [];
  for (const file of files) {
    for (const [group, vectors] of Object.entries(JSON.parse(readFileSync(file, "utf-8")))) {
      for (const vector of vectors) {
        const fault = faultOf(group, vector);
        if (fault) failures.push(`${group}: ${vector.name}: ${fault}`);
        else held++;
      }
    }
  }
  console.log(JSON.stringify({ held, failed: failures.length }));
  for (const failure of failures) console.error(failure);
  return failures.length === 0;
}

function faultOf(group, vector) {
  try {
    return CHECKS[group](vector);
  } catch (error) {
    if (error instanceof Refused) return `it was refused: ${error.message}`;
    throw error;
  }
}

const CHECKS = {
  /** What is read and written again has the same bytes. */
  written({ body }) {
    const again = Envelope.read(Buffer.from(body)).write();
    return again.equals(Buffer.from(body)) ? null : `it was written again as ${again}`;
  },
  /** It is read, with these values. */
  accepted({ body, expect }) {
    const envelope = Envelope.read(Buffer.from(body));
    const found = Object.fromEntries(EXPECTED.map((name) => [name, envelope[name]]));
    found.version = `${envelope.version}`;
    return isDeepStrictEqual(found, expect) ? null : `it was read as ${JSON.stringify(found)}`;
  },
  /** It is not read. */
  refused: ({ body }) => (refuses(Envelope.read, Buffer.from(body)) ? null : "it was read"),
  /** The key and its token belong together. */
  keys({ key, token }) {
    const found = [escapeKey(key), unescapeKey(token)];
    return isDeepStrictEqual(found, [token, key]) ? null : `it is ${found[0]}, and the token is ${found[1]}`;
  },
  /** There is no token for it. */
  refused_keys: ({ key }) => (refuses(escapeKey, key) ? null : "it was escaped"),
  /** It is the token of no key. */
  refused_tokens: ({ token }) => (refuses(unescapeKey, token) ? null : "it was unescaped"),
  /** It is read as this double, and what is written of that is read as the same. */
  numbers(vector) {
    const read = Number(`${json.read(vector.json)}`);
    // JavaScript itself writes -0 as 0.
    const again = Object.is(read, -0) ? read : Number(`${json.read(json.write(read))}`);
    const found = [read, again].map(bits);
    return found.every((number) => number === vector.bits) ? null : `it is ${found}`;
  },
  /** One can publish to it. */
  subjects: ({ subject }) => (subjectWith(subject) === subject ? null : "it became another"),
  /** It is no subject. */
  refused_subjects: ({ subject }) => (refuses(subjectWith, subject) ? null : "it was taken for a subject"),
};

/** The 64 bits of a double, in hexadecimal digits. */
function bits(number) {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(number);
  return buffer.toString("hex");
}

function refuses(read, argument) {
  try {
    read(argument);
    return false;
  } catch (error) {
    if (error instanceof Refused) return true;
    throw error;
  }
}

module.exports = { run };
