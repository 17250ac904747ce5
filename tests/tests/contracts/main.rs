//! Checks a shop's contracts with the tools of other teams: AsyncAPI parser, TypeScript,
//! pydantic, a browser; and the files of its deployment.
//!
//! The tools (`tests/contracts/`) are pinned, and installed by `cargo xtask services`.

mod shop;
mod tools;

mod asyncapi;
mod deployment;
mod documents;
mod languages;
mod page;
mod suite;
