//! The macros of event-sdk: `#[derive(Event)]`, `#[derive(Readable)]`, `#[derive(EventSet)]` and
//! `subject!`.
//!
//! Users import them from `event-sdk` or `event-sdk-core`, together with the traits of the same
//! names. `Readable` is the receiving half of `Event`, and the two derives share their code. Each
//! derive (`event`, `set`) has four stages in four files:
//!
//! 1. `ast` borrows the item: its fields or variants;
//! 2. `attr` parses the attributes: their keys and the form of their values;
//! 3. `valid` checks the values, and the rules between attributes;
//! 4. `expand` generates code, and cannot fail.
//!
//! The first three stages collect all errors in one `Ctxt`, so that they are reported together, each
//! on its own token. After an error the derive still generates an empty implementation, so that uses
//! of the type cause no further errors.
//!
//! Modules that both derives use, in the order of the stages:
//!
//! - `attribute`: parses `key = value` items;
//! - `keys`: the allowed keys, and the suggestion for an unknown one;
//! - `slot`: the value of a key, which may be given once;
//! - `grammar`: checks subjects, patterns and types;
//! - `ctxt`: collects errors;
//! - `spans`, `crate_path`: spans and paths of generated code;
//! - `subject`: expands `subject!`.

mod event;
mod set;

mod attribute;
mod crate_path;
mod ctxt;
mod grammar;
mod keys;
mod slot;
mod spans;
mod subject;

use proc_macro::TokenStream;

use crate_path::Home;
use event::Derived;

#[doc = include_str!("event.md")]
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    event::derive(input.into(), Home::Sdk, Derived::Event).into()
}

#[doc = include_str!("readable.md")]
#[proc_macro_derive(Readable, attributes(event))]
pub fn derive_readable(input: TokenStream) -> TokenStream {
    event::derive(input.into(), Home::Sdk, Derived::Readable).into()
}

#[doc = include_str!("set.md")]
#[proc_macro_derive(EventSet, attributes(event))]
pub fn derive_event_set(input: TokenStream) -> TokenStream {
    set::derive(input.into(), Home::Sdk).into()
}

#[doc = include_str!("subject.md")]
#[proc_macro]
pub fn subject(input: TokenStream) -> TokenStream {
    subject::expand(input.into(), Home::Sdk).into()
}

// The same macros as `event-sdk-core` has them, under the names above. A macro does not know
// from which crate it was taken, and the code that it writes names that crate.

#[doc = include_str!("event.md")]
#[proc_macro_derive(CoreEvent, attributes(event))]
pub fn derive_core_event(input: TokenStream) -> TokenStream {
    event::derive(input.into(), Home::Core, Derived::Event).into()
}

#[doc = include_str!("readable.md")]
#[proc_macro_derive(CoreReadable, attributes(event))]
pub fn derive_core_readable(input: TokenStream) -> TokenStream {
    event::derive(input.into(), Home::Core, Derived::Readable).into()
}

#[doc = include_str!("set.md")]
#[proc_macro_derive(CoreEventSet, attributes(event))]
pub fn derive_core_event_set(input: TokenStream) -> TokenStream {
    set::derive(input.into(), Home::Core).into()
}

#[doc = include_str!("subject.md")]
#[proc_macro]
pub fn core_subject(input: TokenStream) -> TokenStream {
    subject::expand(input.into(), Home::Core).into()
}
