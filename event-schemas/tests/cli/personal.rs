//! Personal data of examples: reports of breaks have none of it.

use event_schemas::Catalogue;
use event_sdk::{Event, Pii};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::run::schemas;

/// What stands in an example, and not in a report.
const PLANTED: [&str; 2] = ["ada.lovelace@example.com", "18151210"];

mod old {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "people", version = "1.0")]
    pub(super) struct PersonMoved {
        #[event(key)]
        pub(super) id: u64,
        pub(super) email: Pii<String>,
        pub(super) born: Pii<u64>,
        pub(super) contacts: Vec<Pii<String>>,
    }
}

mod new {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "people", version = "1.1")]
    pub(super) struct PersonMoved {
        #[event(key)]
        id: u64,
        email: Pii<u64>,
        born: Pii<u8>,
        contacts: Pii<bool>,
        street: String,
    }
}

#[test]
fn a_report_of_a_break_has_no_personal_data_of_an_example() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("contracts");
    let nothing = home.path().join("lib.rs");
    std::fs::write(&nothing, "").unwrap();
    let [email, born] = PLANTED;
    let catalogue = Catalogue::new("People").example(old::PersonMoved {
        id: 7,
        email: Pii::new(email.to_owned()),
        born: Pii::new(born.parse().unwrap()),
        contacts: vec![Pii::new(email.to_owned())],
    });
    let generated = schemas(&catalogue, &dir, "generate");
    assert_eq!(generated.code, 0, "{}", generated.err);
    let broken = Catalogue::new("People").events_of::<new::PersonMoved>();
    for command in [
        "check",
        "check --format json",
        "check --format sarif",
        "check --format github",
        "check --format people",
        "diff",
    ] {
        let sources = if command.starts_with("check") {
            format!("--sources {}", nothing.display())
        } else {
            String::new()
        };
        let ended = schemas(&broken, &dir, &format!("{command} {sources}"));
        let shown = format!("{}{}", ended.out, ended.err);
        assert!(
            shown.contains("email"),
            "`{command}` finds nothing: {shown}"
        );
        for planted in PLANTED {
            assert!(
                !shown.contains(planted),
                "`{command}` shows {planted}: {shown}"
            );
        }
    }
}
