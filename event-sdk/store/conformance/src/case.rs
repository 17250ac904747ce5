//! `Case`: one guarantee, with its name, needs and promise; `Tried`: a case with its test; and the macro
//! `cases!`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::failure::Outcome;
use crate::need::Need;

/// One guarantee of the [`OutboxStore`](event_sdk_store::outbox::OutboxStore) contract, or of inboxes.
#[derive(Clone, Copy)]
pub struct Case {
    pub(crate) name: &'static str,
    pub(crate) area: &'static str,
    pub(crate) promise: &'static str,
    pub(crate) needs: &'static [Need],
}

/// A case, and how it is tried on a rig of the type `R`.
pub(crate) struct Tried<R> {
    pub(crate) case: Case,
    pub(crate) body: fn(R) -> Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl<R> Clone for Tried<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Tried<R> {}

impl<R> fmt::Debug for Tried<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.case.fmt(f)
    }
}

impl Case {
    /// The unique name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The area of the contract, such as `leases`.
    #[must_use]
    pub fn area(&self) -> &'static str {
        self.area
    }

    /// The guarantee, in a sentence.
    #[must_use]
    pub fn promise(&self) -> &'static str {
        self.promise
    }

    /// What the guarantee needs.
    #[must_use]
    pub fn needs(&self) -> &'static [Need] {
        self.needs
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("area", &self.area)
            .field("promise", &self.promise)
            .field("needs", &self.needs)
            .finish()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.area, self.name)
    }
}

/// The table of an area: each case by its function, what it needs, and the promise that it tries. The
/// type `Rig` of the module is what the functions take.
macro_rules! cases {
    ($area:literal: $($name:ident [$($need:ident),*] $promise:literal;)+) => {
        pub(crate) const CASES: &[$crate::case::Tried<Rig>] = &[$(
            $crate::case::Tried {
                case: $crate::case::Case {
                    name: stringify!($name),
                    area: $area,
                    promise: $promise,
                    needs: &[$($crate::need::Need::$need),*],
                },
                body: |rig| Box::pin($name(rig)),
            },
        )+];
    };
}

pub(crate) use cases;
