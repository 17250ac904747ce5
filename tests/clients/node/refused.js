"use strict";
// What the contract refuses, in every part of it.

/** What is no event by the contract, and why. */
class Refused extends Error {
  name = "Refused";
}

/** What no event that is known here has: a newer reader may know it. */
class UnknownSubject extends Refused {
  name = "UnknownSubject";
}

module.exports = { Refused, UnknownSubject };
