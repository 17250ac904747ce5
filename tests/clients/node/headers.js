"use strict";
// What travels beside the body: the message id and the trace.

const { Refused } = require("./refused.js");

/** The header by which a stream recognizes duplicates. */
const MESSAGE_ID = "Nats-Msg-Id";

/** The headers to publish with; a message id in `own` goes before the event's. */
function headersFor(envelope, own) {
  const headers = { [MESSAGE_ID]: envelope.event_id, ...own };
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!-9;-~]+$/.test(name))
      throw new Refused(`the header ${name} is not visible ASCII without a colon`);
    if (/\p{Cc}/u.test(value)) throw new Refused(`the header ${name} has a control character`);
    const size = Buffer.byteLength(name) + Buffer.byteLength(value);
    if (size > 4096)
      throw new Refused(`the header ${name} has ${size} bytes with its name, and 4096 are the most`);
  }
  return headers;
}

/** `traceparent`, and with it `tracestate`; each is left out if it is invalid. */
function trace(headers) {
  const found = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const { version, more } = TRACEPARENT.exec(found.traceparent ?? "")?.groups ?? { version: "ff" };
  if (version === "ff" || (version === "00" && more !== undefined)) return {};
  const members = (found.tracestate ?? "")
    .split(",")
    .map((member) => member.replaceAll(/^[ \t]+|[ \t]+$/g, ""));
  const stateIsValid = members.length <= 32 && members.every((member) => TRACESTATE.test(member));
  return { traceparent: found.traceparent, ...(stateIsValid && { tracestate: found.tracestate }) };
}

const TRACEPARENT =
  /^(?<version>[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?<more>-.*)?$/;

const TRACESTATE = /^[a-z0-9][a-z0-9_*/@-]*=[\x20-\x2b\x2d-\x3c\x3e-\x7e]*[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

module.exports = { headersFor, trace };
