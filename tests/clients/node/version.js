"use strict";
// The version of an event's data, and what a reader does with another one than it knows.

const { Refused } = require("./refused.js");

/** The version of an event's data. */
class Version {
  constructor(major, minor) {
    this.major = major;
    this.minor = minor;
  }

  /** Reads `2.1`, or `2` for `2.0`. */
  static read(text) {
    const found = /^0*(\d{1,5})(?:\.0*(\d{1,5}))?$/.exec(text);
    const [major, minor] = found ? [Number(found[1]), Number(found[2] ?? 0)] : [];
    if (!found || Math.max(major, minor) > 65535)
      throw new Refused(`version ${JSON.stringify(text)} is no major.minor`);
    return new Version(major, minor);
  }

  toString() {
    return `${this.major}.${this.minor}`;
  }

  /**
   * What a reader that knows this version does with what has arrived in another: it is
   * `readable`, `newer` (only early: put back with a delay) or `older` (refused, unless the
   * reader has a conversion).
   */
  arrival(arrived) {
    if (arrived.major === this.major) return "readable";
    return arrived.major > this.major ? "newer" : "older";
  }
}

module.exports = { Version };
