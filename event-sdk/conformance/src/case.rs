//! `Case`: one guarantee, with its name, needed capabilities and test; and the macro `cases!`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::failure::Outcome;
use super::fixture::Fixture;
use event_sdk_core::transport::Capability;

/// One guarantee of the [`Transport`](event_sdk_core::transport::Transport) contract.
#[derive(Clone, Copy)]
pub struct Case {
    pub(super) name: &'static str,
    pub(super) area: &'static str,
    pub(super) promise: &'static str,
    pub(super) needs: &'static [Capability],
    pub(super) body: fn(Fixture) -> Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl Case {
    /// The unique name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The area of the contract, such as `publishing`.
    #[must_use]
    pub fn area(&self) -> &'static str {
        self.area
    }

    /// The guarantee, in a sentence.
    #[must_use]
    pub fn promise(&self) -> &'static str {
        self.promise
    }

    /// The capabilities that the guarantee needs. A transport that lacks one must return
    /// `Unsupported`.
    #[must_use]
    pub fn needs(&self) -> &'static [Capability] {
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

/// The table of an area. Each row is a case: its function, the capabilities that it needs, and the
/// guarantee that it checks.
macro_rules! cases {
    ($area:literal: $($name:ident [$($need:ident),*] $promise:literal;)+) => {
        pub(super) const CASES: &[$crate::case::Case] = &[$(
            $crate::case::Case {
                name: stringify!($name),
                area: $area,
                promise: $promise,
                needs: &[$(::event_sdk_core::transport::Capability::$need),*],
                body: |fixture| Box::pin($name(fixture)),
            },
        )+];
    };
}

pub(super) use cases;
