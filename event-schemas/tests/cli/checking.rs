//! `check`, `diff` and `explain`: from a catalogue to a break and out of it.

use event_schemas::{Catalogue, Service};
use event_sdk::{Event, EventSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::run::{schemas, shop};

/// The order with a field that is text now, under the same version.
mod retyped {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: String,
        items: Vec<Item>,
        note: Option<String>,
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Item {
    article: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<i32>,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
struct OrderPaid {
    #[event(key, in_subject)]
    id: u64,
}

#[derive(EventSet)]
#[allow(dead_code, reason = "a set of what is published; nobody matches on it")]
enum Orders {
    Placed(retyped::OrderPlaced),
    Paid(OrderPaid),
}

fn broken() -> Catalogue {
    Catalogue::new("Shop")
        .service(Service::new("orders").publishes::<Orders>())
        .stream(event_sdk::stream::Stream::new("ORDERS").subject("orders.>"))
}

#[test]
fn a_break_is_found_said_and_waived() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("contracts");
    // What stands in this package's own `src` is no concern of this catalogue.
    let nothing = home.path().join("lib.rs");
    std::fs::write(&nothing, "").unwrap();
    let check = |catalogue: &Catalogue, more: &str| {
        schemas(
            catalogue,
            &dir,
            &format!("check --sources {} {more}", nothing.display()),
        )
    };
    assert_eq!(schemas(&shop(), &dir, "generate").code, 0);
    let ended = check(&shop(), "");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{}", ended.out);
    assert!(
        ended
            .out
            .starts_with("ok: 2 events, nothing found; FULL_TRANSITIVE"),
        "{}",
        ended.out
    );

    let ended = check(&broken(), "");
    assert_eq!(ended.code, 1);
    for said in [
        "error[version-not-raised]",
        "error[type-narrowed]: a type is no longer accepted: `id`",
        "= help: ",
        "version = \"2.0\", upcast_from = OrderPlacedV1",
        "\nfailed: 2 events, ",
    ] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
    assert_eq!(check(&broken(), "--mode none").code, 1);

    let ended = schemas(&broken(), &dir, "diff orders.order.placed");
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains("~ id "), "{}", ended.out);
    assert_eq!(schemas(&shop(), &dir, "diff").code, 0);

    let ended = check(&shop(), "--against origin/main");
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("is in no git repository"),
        "{}",
        ended.err
    );
    let ended = check(&shop(), "--mode sideways");
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("there are NONE, BACKWARD"),
        "{}",
        ended.err
    );
    std::fs::write(dir.join("index.json"), "{").unwrap();
    let ended = check(&shop(), "");
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("index.json is no JSON"), "{}", ended.err);
}

#[test]
fn an_event_that_no_catalogue_has_is_found_in_the_sources() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("contracts");
    let root = home.path().join("lib.rs");
    let source = "#[derive(Event)] #[event(domain = \"orders\")] struct OrderLost { id: u64 }";
    std::fs::write(&root, source).unwrap();
    assert_eq!(schemas(&shop(), &dir, "generate").code, 0);
    let ended = schemas(
        &shop(),
        &dir,
        &format!("check --sources {}", root.display()),
    );
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains("error[event-unlisted]"), "{}", ended.out);
    assert!(
        ended.out.contains("lib.rs:1, the event `OrderLost`"),
        "{}",
        ended.out
    );
}

#[test]
fn rules_are_listed_and_explained_and_near_ones_named() {
    let home = tempfile::tempdir().unwrap();
    let all = schemas(&shop(), home.path(), "explain");
    let rules = event_schemas::compat::Rule::all();
    for rule in rules {
        assert!(all.out.contains(&format!("  {} ", rule.id())), "{rule}");
        let one = schemas(&shop(), home.path(), &format!("explain {rule}"));
        assert!(
            one.code == 0 && one.out.contains(rule.title()),
            "{}",
            one.out
        );
    }
    let wrong = schemas(&shop(), home.path(), "explain required-add");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("did you mean required-added"),
        "{}",
        wrong.err
    );
}
