//! The macros of event-sdk: `#[derive(Event)]`, `#[derive(EventSet)]` and `subject!`.
//!
//! Users take them from `event-sdk`, or from `event-sdk-core`, next to the
//! traits of the same names. Each derive has four stages in four files:
//!
//! 1. `ast` looks at the item: what kind it is, its fields or variants;
//! 2. `attr` reads the attributes: which keys there are, of which shape;
//! 3. `valid` checks what they say, and what they say together;
//! 4. `expand` only writes, and cannot fail.
//!
//! The first three put every mistake into one `Ctxt`, so that all
//! mistakes of an item are reported together, each on its own token. After a
//! mistake an empty implementation is written still, so that it does not show
//! again wherever the type is used.

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

#[doc = include_str!("event.md")]
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    event::derive(input.into(), Home::Sdk).into()
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
    event::derive(input.into(), Home::Core).into()
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
