//! Holds the contracts of a shop against the tools of the teams that use them: the official parser
//! of AsyncAPI, TypeScript, pydantic, and a browser.
//!
//! The tools (`tests/contracts/`) are pinned, and installed by `cargo xtask services`.

mod shop;
mod tools;

mod asyncapi;
mod documents;
mod languages;
mod page;
