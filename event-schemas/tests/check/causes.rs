//! A change of a type that many events share is reported once, with all places.

use event_schemas::report::{Format, Report};
use event_schemas::{Catalogue, Consumer, Service};
use event_sdk::{Event, EventSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::world::World;

/// A version of a catalogue whose events all have a user, of a kind.
macro_rules! users {
    ($module:ident, $version:literal, $kinds:item) => {
        mod $module {
            use super::*;

            #[derive(Serialize, Deserialize, JsonSchema)]
            $kinds

            /// A user, in full.
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct User {
                address: String,
                birthday: String,
                city: String,
                country: String,
                email: String,
                first_name: String,
                kind: UserKind,
                last_name: String,
                phone: String,
                street: String,
            }

            #[derive(Event, Serialize, Deserialize, JsonSchema)]
            #[event(domain = "users", version = $version)]
            struct UserCreated { user: User, inviter: Option<User> }

            #[derive(Event, Serialize, Deserialize, JsonSchema)]
            #[event(domain = "users", version = $version)]
            struct UserChanged { before: User, after: User }

            #[derive(Event, Serialize, Deserialize, JsonSchema)]
            #[event(domain = "teams", version = $version)]
            struct TeamFormed { members: Vec<User>, lead: User }

            #[derive(EventSet)]
            #[allow(dead_code, reason = "a set of what is published; nobody matches on it")]
            enum All { Created(UserCreated), Changed(UserChanged), Formed(TeamFormed) }

            pub(super) fn catalogue() -> Catalogue {
                Catalogue::new("Users")
                    .service(Service::new("users").publishes::<All>())
                    .service(Service::new("mail").consumes(Consumer::of::<UserCreated>("mail")))
                    .service(Service::new("billing").consumes(Consumer::of::<All>("billing")))
            }
        }
    };
}

users!(
    before,
    "1.0",
    enum UserKind {
        Person,
        Company,
    }
);
users!(
    after,
    "1.1",
    enum UserKind {
        Person,
        Company,
        Robot,
    }
);

fn report() -> Report {
    let world = World::released(&before::catalogue());
    world.generate(
        &after::catalogue(),
        &event_schemas::lock::Options::default(),
    );
    let mut report = world.check_against(&after::catalogue(), "released");
    "contracts".clone_into(&mut report.folder);
    report
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_value_more_in_a_shared_type_is_told_once() {
    let report = report();
    let text = plain(&report.render(Format::People));
    assert_eq!(text.matches("error[").count(), 1, "{text}");
    for said in [
        "error[enum-narrowed]: a value is written that old consumers do not know: `UserKind`, 6 places\n",
        "teams.team.formed 1.0 → 1.1, FORWARD, `lead.kind`\n",
        "and `members[].kind` of teams.team.formed, ",
        "consumed by billing, mail\n",
        "\"kind\": \"Robot\"",
        "`--verbose` shows each of the 5 places that are only counted here",
        "failed: 3 events, 6 errors; ",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    // All of it fits on a screen, and of the document the place can be seen.
    assert!(
        text.lines().count() <= 40,
        "{} lines\n{text}",
        text.lines().count()
    );
    assert!(!text.contains("\"members\": [\n         {"), "{text}");
}

/// A version of two events with a part whose field has this type.
macro_rules! parts {
    ($module:ident, $version:literal, $type:ty) => {
        mod $module {
            use super::*;

            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Part {
                weight: $type,
            }

            #[derive(Event, Serialize, Deserialize, JsonSchema)]
            #[event(domain = "parts", version = $version)]
            struct PartMade {
                part: Part,
            }

            #[derive(Event, Serialize, Deserialize, JsonSchema)]
            #[event(domain = "parts", version = $version)]
            struct PartSold {
                part: Part,
            }

            #[derive(EventSet)]
            #[allow(dead_code, reason = "a set of what is published; nobody matches on it")]
            enum All {
                Made(PartMade),
                Sold(PartSold),
            }

            pub(super) fn catalogue() -> Catalogue {
                Catalogue::new("Parts").service(Service::new("parts").publishes::<All>())
            }
        }
    };
}

parts!(whole, "1.0", u32);
parts!(text, "1.1", String);

#[test]
fn a_type_that_changed_is_told_once_for_both_directions() {
    let world = World::released(&whole::catalogue());
    world.generate(&text::catalogue(), &event_schemas::lock::Options::default());
    let report = world.check_against(&text::catalogue(), "released");
    let shown = plain(&report.render(Format::People));
    assert_eq!(shown.matches("error[type-narrowed]").count(), 1, "{shown}");
    for said in [
        "error[type-narrowed]: a type is no longer accepted: `Part.weight`, 2 places\n",
        "parts.part.made 1.0 → 1.1, BACKWARD and FORWARD, `part.weight`\n",
        "and `part.weight` of parts.part.sold\n",
        "= why: 0 may be written, but only a string is accepted.",
        "= both ways: \"\" may be written, but only a number is accepted.",
    ] {
        assert!(shown.contains(said), "{said}\n{shown}");
    }
    let leave = "leave `weight` as it was, and put the new form into a new optional field";
    assert_eq!(shown.matches(leave).count(), 1, "{shown}");
}

#[test]
fn each_of_them_is_shown_on_request() {
    let report = report();
    let text = plain(&report.render_in_full());
    assert_eq!(text.matches("error[enum-narrowed]").count(), 6, "{text}");
    assert!(text.contains("\"birthday\": \"\""), "{text}");
}

#[test]
fn programs_get_the_cause_and_the_consumers_of_each() {
    let json: serde_json::Value = serde_json::from_str(&report().render(Format::Json)).unwrap();
    for finding in json["findings"].as_array().unwrap() {
        assert_eq!(finding["cause"]["type"], "UserKind");
        let at = finding["document"]["at"].as_str().unwrap();
        assert_eq!(finding["document"]["data"].pointer(at).unwrap(), "Robot");
        assert_eq!(finding["consumers"][0], "billing");
    }
}
