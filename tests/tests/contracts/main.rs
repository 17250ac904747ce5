//! Checks a shop's contracts with the tools of other teams: AsyncAPI parser, TypeScript,
//! pydantic, a browser.
//!
//! The tools (`tests/contracts/`) are pinned, and installed by `cargo xtask services`.

mod shop;
mod tools;

mod asyncapi;
mod documents;
mod languages;
mod page;
mod suite;
