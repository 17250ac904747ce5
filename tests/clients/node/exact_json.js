"use strict";
// JSON in which nothing is lost: numbers keep their digits, objects can be split into their members.
//
// JavaScript's own `JSON` rounds every number to a double and keeps the last of two members with
// one name in silence. Values are read by lossless-json; members are found here, as they stand.

const lossless = require("lossless-json");

/** Reads one value; a number is a `LosslessNumber`, which has its digits. Throws if it is no JSON. */
const read = (text) => lossless.parse(text, undefined, { onDuplicateKey: ({ newValue }) => newValue });

/** Writes a value that `read` gave, or that JavaScript's own types make, without white space. */
const write = (value) => lossless.stringify(value);

/**
 * Reads an object and gives its members in their order, those of one name too: name, value (its
 * numbers rounded: they are only looked at) and the text that the value is written as.
 */
function members(text) {
  if (!isObject(JSON.parse(text))) throw new SyntaxError("it is no object");
  const found = [];
  let at = afterSpace(text, text.indexOf("{") + 1);
  while (text[at] !== "}") {
    if (text[at] === ",") at = afterSpace(text, at + 1);
    const endOfName = endOfText(text, at);
    const start = afterSpace(text, text.indexOf(":", endOfName) + 1);
    const end = endOfValue(text, start);
    const written = text.slice(start, end);
    found.push({ name: JSON.parse(text.slice(at, endOfName)), value: JSON.parse(written), text: written });
    at = afterSpace(text, end);
  }
  return found;
}

/** How many arrays and objects stand in one another: 0 for a text, 1 for `[]`, 2 for `[[]]`. */
function depth(value) {
  let levels = 0;
  const nested = (values) => values.filter((item) => typeof item === "object" && item !== null);
  for (let level = nested([value]); level.length > 0; levels++) {
    level = nested(level.flatMap((item) => Object.values(item)));
  }
  return levels;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

// The text is known to be JSON where these are used, so they only look for the ends of things.

function afterSpace(text, at) {
  while (" \t\r\n".includes(text[at])) at++;
  return at;
}

function endOfValue(text, start) {
  if (text[start] === '"') return endOfText(text, start);
  if (!"{[".includes(text[start])) {
    SCALAR.lastIndex = start;
    SCALAR.test(text);
    return SCALAR.lastIndex;
  }
  let open = 0;
  for (let at = start; ; at++) {
    if (text[at] === '"') at = endOfText(text, at) - 1;
    else if ("{[".includes(text[at])) open++;
    else if ("}]".includes(text[at]) && --open === 0) return at + 1;
  }
}

function endOfText(text, start) {
  for (let at = start + 1; ; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
}

const SCALAR = /[^\s,}\]]+/y;

module.exports = { read, write, members, depth, isObject };
