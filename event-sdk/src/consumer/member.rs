//! `Member`: which types a handler of a single event may take, checked by the compiler.

use event_sdk_core::Contains;
use event_sdk_core::set::Payload;

/// An event of the set `S`, or an `Arc` of one: what a handler of a single event takes.
///
/// All of these types implement it, so do not implement it by hand. As a bound, it lets the
/// compiler name the type that a handler takes and the set that does not have it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of the set `{S}`",
    label = "not in `{S}`",
    note = "a handler takes an event of the consumer's set by value, or an `Arc` of one: add a variant that holds it to the set, or consume a set that has it",
    note = "the set itself is handled by `each`"
)]
pub trait Member<S>: Payload {}

// Without this the compiler would speak of `Payload` and `Contains`.
#[diagnostic::do_not_recommend]
impl<S: Contains<P::Event>, P: Payload> Member<S> for P {}

/// A function that takes the event `P` of the set `S`. Every function implements it if `P` is a
/// [`Member`] of `S`. As a bound on the handler, it makes the compiler point at the handler if `P`
/// is not a member.
pub trait Takes<S, P> {
    /// `P`, known to be in the set.
    #[doc(hidden)]
    type Event: Member<S>;

    #[doc(hidden)]
    fn give(event: Self::Event) -> P;
}

impl<F, S, P: Member<S>> Takes<S, P> for F {
    type Event = P;

    fn give(event: P) -> P {
        event
    }
}
