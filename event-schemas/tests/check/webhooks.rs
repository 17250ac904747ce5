//! Evolutions of webhook events, as services like GitHub, Stripe and Slack make them: what
//! `schemas check` says of each is held against what the old and the new type decode.

mod chat;
mod mail;
mod payments;
mod repositories;

use event_schemas::Catalogue;
use event_schemas::compat::{Direction, Severity};
use event_sdk::Event;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::world::World;

/// What a type makes of documents that the other one wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It decodes all of them.
    Reads,
    /// It refuses at least one.
    Refuses,
    /// It decodes all of them, and one without what stands at this pointer.
    Loses(&'static str),
}

/// One evolution: what the new type makes of old documents, and the old type of new ones.
struct Evolution {
    backward: Verdict,
    forward: Verdict,
    old: Vec<Value>,
    new: Vec<Value>,
}

impl Evolution {
    fn prove<Old, New>(&self)
    where
        Old: Event + JsonSchema + Serialize + DeserializeOwned,
        New: Event + JsonSchema + Serialize + DeserializeOwned,
    {
        for document in &self.old {
            assert_eq!(
                reread::<Old>(document).as_ref(),
                Some(document),
                "not written by the old type"
            );
        }
        for document in &self.new {
            assert_eq!(
                reread::<New>(document).as_ref(),
                Some(document),
                "not written by the new type"
            );
        }
        assert_decoded::<New>(&self.old, self.backward, "old documents");
        assert_decoded::<Old>(&self.new, self.forward, "new documents");

        let world = World::released(&Catalogue::new("Old").events_of::<Old>());
        let report = world.check(&Catalogue::new("New").events_of::<New>());
        for (direction, verdict) in [
            (Direction::Backward, self.backward),
            (Direction::Forward, self.forward),
        ] {
            let of_direction = report.findings.iter().filter(|finding| {
                let versions = finding.versions;
                versions.and_then(|versions| versions.direction) == Some(direction)
            });
            let broken: Vec<_> = of_direction
                .filter(|finding| finding.severity == Severity::Error)
                .collect();
            assert_eq!(
                broken.is_empty(),
                verdict == Verdict::Reads,
                "{direction:?}: {verdict:?} by decoding, but the check finds {broken:#?}"
            );
            let undecided = broken.iter().find(|finding| finding.is_unknown());
            assert!(undecided.is_none(), "{direction:?}: {undecided:#?}");
        }
    }
}

/// What a type writes of what it read; `None` if it refuses the document.
fn reread<T: Serialize + DeserializeOwned>(document: &Value) -> Option<Value> {
    let read: T = serde_json::from_str(&document.to_string()).ok()?;
    Some(serde_json::to_value(read).unwrap())
}

fn assert_decoded<T: Serialize + DeserializeOwned>(
    documents: &[Value],
    verdict: Verdict,
    what: &str,
) {
    let read: Vec<_> = documents.iter().map(reread::<T>).collect();
    let all = read.iter().all(Option::is_some);
    assert_eq!(all, verdict != Verdict::Refuses, "{what}: {read:?}");
    if let Verdict::Loses(pointer) = verdict {
        let mut pairs = documents.iter().zip(read.iter().flatten());
        let lost = pairs.any(|(was, is)| {
            was.pointer(pointer).is_some() && is.pointer(pointer).is_none_or(Value::is_null)
        });
        assert!(lost, "{what}: nothing at {pointer} is lost: {read:?}");
    }
}

/// Defines both versions of an event with the types in it, the documents that they write, and
/// the test that proves the verdicts.
macro_rules! evolution {
    (
        $(#[$doc:meta])*
        $name:ident => $backward:expr, $forward:expr;
        old { $($old:tt)* } $(with { $($old_type:item)* })?;
        writes [$($old_document:tt),* $(,)?];
        new { $($new:tt)* } $(with { $($new_type:item)* })?;
        writes [$($new_document:tt),* $(,)?];
    ) => {
        $(#[$doc])*
        #[test]
        fn $name() {
            mod old {
                $crate::webhooks::evolution!(@version "1.0", { $($old)* } $($($old_type)*)?);
            }
            mod new {
                $crate::webhooks::evolution!(@version "1.1", { $($new)* } $($($new_type)*)?);
            }
            use $crate::webhooks::Verdict::{Loses, Reads, Refuses};
            let _ = (Loses, Reads, Refuses);
            $crate::webhooks::Evolution {
                backward: $backward,
                forward: $forward,
                old: vec![$(serde_json::json!($old_document)),*],
                new: vec![$(serde_json::json!($new_document)),*],
            }
            .prove::<old::HookSent, new::HookSent>();
        }
    };
    (@version $version:literal, { $($fields:tt)* } $($type:item)*) => {
        #[allow(unused_imports, reason = "each version uses some of them")]
        use std::collections::{BTreeMap, HashMap};

        use event_sdk::Event;
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        #[derive(Event, Serialize, Deserialize, JsonSchema)]
        #[event(domain = "shop", entity = "hook", action = "sent", version = $version)]
        pub(super) struct HookSent { $($fields)* }

        $(
            #[derive(Serialize, Deserialize, JsonSchema)]
            $type
        )*
    };
}
pub(crate) use evolution;
