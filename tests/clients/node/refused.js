"use strict";
// What the contract refuses, in every part of it.

/** What is no event by the contract, and why. */
class Refused extends Error {
  name = "Refused";
}

module.exports = { Refused };
