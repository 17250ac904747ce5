//! `Upcast`: conversion of an event from its previous major version.

use std::fmt::{Display, Write as _};

/// An event that can be made from `P`, its previous version.
///
/// It is [`TryFrom`] under another name, so that the compiler's message can say what is missing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from its older version `{P}`",
    label = "there is no `From<{P}> for {Self}`",
    note = "write `impl From<{P}> for {Self}`, or `impl TryFrom<{P}> for {Self}` with an error that implements `Display` if some old events have no new form"
)]
pub trait Upcast<P>: Sized {
    /// Makes the event, or says why not.
    ///
    /// # Errors
    ///
    /// The text of the conversion's error.
    fn upcast(previous: P) -> Result<Self, String>;
}

#[diagnostic::do_not_recommend]
impl<P, E: TryFrom<P, Error: Display>> Upcast<P> for E {
    fn upcast(previous: P) -> Result<Self, String> {
        E::try_from(previous).map_err(|why| {
            let mut text = String::new();
            // A reason whose Display fails is cut where it does.
            let _ = write!(text, "{why}");
            text
        })
    }
}
