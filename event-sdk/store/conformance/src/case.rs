//! `Case`: one guarantee, with its name, needs and test; and the macro `cases!`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::failure::Outcome;
use crate::need::Need;
use crate::rig::Rig;

/// One guarantee of the [`OutboxStore`](event_sdk_store::outbox::OutboxStore) contract.
#[derive(Clone, Copy)]
pub struct Case {
    pub(crate) name: &'static str,
    pub(crate) area: &'static str,
    pub(crate) promise: &'static str,
    pub(crate) needs: &'static [Need],
    pub(crate) body: fn(Rig) -> Pin<Box<dyn Future<Output = Outcome> + Send>>,
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
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.area, self.name)
    }
}

/// The table of an area: each case by its function, what it needs, and the promise that it tries.
macro_rules! cases {
    ($area:literal: $($name:ident [$($need:ident),*] $promise:literal;)+) => {
        pub(crate) const CASES: &[$crate::case::Case] = &[$(
            $crate::case::Case {
                name: stringify!($name),
                area: $area,
                promise: $promise,
                needs: &[$($crate::need::Need::$need),*],
                body: |rig| Box::pin($name(rig)),
            },
        )+];
    };
}

pub(crate) use cases;
