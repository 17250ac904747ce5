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

/// Makes a struct an event.
///
/// Keys of `#[event(…)]` on the struct:
///
/// - `domain = "orders"`: the first token of the subject; always written;
/// - `entity = "order"`, `action = "placed"`: the second and third token. They
///   default from a name of exactly two words: `OrderPlaced` is `order.placed`;
/// - `version = "1.0"`: the version of the data, `major.minor`; `1.0` if absent;
/// - `type = "order.placed"`: what the envelope's `event_type` says;
///   `<entity>.<action>` if absent;
/// - `subject = "transactions.created"`: a whole relative subject that exists
///   already, in place of the three tokens; needs `type`;
/// - `absolute = "legacy.tx.created"`: a whole foreign subject, to which the
///   bus's prefix is not added; needs `type`;
/// - `upcast_from = OrderPlacedV1`: the event of the major version before this
///   one, from which this one is made with `From` or `TryFrom`;
/// - `crate = event_sdk_core`: where the SDK is found, if not at `::event_sdk`.
///
/// On one field: `#[event(key)]` for what must stay in order together, and
/// `#[event(key, in_subject)]` to make it the last token of the subject too.
/// The field's type has to implement `Display`.
///
/// The doc comment of the struct is the description of the event.
///
/// Of serde's attributes those are refused under which one service could not read what
/// another writes. On the struct: `deny_unknown_fields`, `untagged`, `rename_all` with
/// different cases for the two directions, `into` without `from` or `try_from`, and a
/// `tag` that is the name of a field too. On a field: `skip_serializing`,
/// `skip_deserializing`, `skip_serializing_if` without `default` (unless it is an
/// `Option`), `rename` with two names, `serialize_with` without its counterpart, and
/// `skip` on the key.
///
/// Not everything can be seen here: a flattened map may have a key of the struct, an
/// integer of 128 bits cannot be read from what is flattened or tagged, and the types of
/// fields have attributes of their own. Publish an event in a test, and read it back.
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    event::derive(input.into()).into()
}

/// Makes an enum of events a set: a subscription, a catalogue and a match in one.
///
/// Each variant holds one event, or an `Arc` of one, which is written as such
/// (`Arc<OrderPlaced>`, not another name for it). At most one variant is marked
/// `#[event(other)]` and holds a `RawEvent`: what arrives and is none of the others.
///
/// Keys of `#[event(…)]` on the enum:
///
/// - `pattern = "orders.>"`: a pattern that all events of the set must match.
///   With an `other` variant it is also what is subscribed to;
/// - `crate = event_sdk_core`: where the SDK is found, if not at `::event_sdk`.
///
/// Besides `EventSet` the derive implements `Contains<E>` and `From` for each
/// event, and `Visit<V>`.
#[proc_macro_derive(EventSet, attributes(event))]
pub fn derive_event_set(input: TokenStream) -> TokenStream {
    set::derive(input.into()).into()
}

/// A `Pattern` that is checked while compiling: `subject!("orders.*.placed")`.
///
/// A whole token may be `*`, which stands for any one token, and the last may
/// be `>`, which stands for one token or more. The result can stand in a `const`.
///
/// A crate that has event-sdk under another name writes where it is:
/// `subject!(crate = event_sdk_core, "orders.>")`.
#[proc_macro]
pub fn subject(input: TokenStream) -> TokenStream {
    subject::expand(input.into()).into()
}
