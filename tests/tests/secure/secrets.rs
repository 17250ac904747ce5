//! The secrets table: planted credentials in right and wrong places of every option, searched in
//! errors, `Debug` and all logs at TRACE.

mod logins;
mod planted;
mod servers;
mod table;

use std::error::Error as _;
use std::fmt::{Debug, Write as _};

use event_sdk::transport::Error;
use event_sdk::transport::nats::Nats;

use self::planted::Planted;
use self::servers::Servers;
use self::table::{Case, Ends};
use crate::captured;
use crate::support::{bus, within, works};

#[tokio::test]
async fn no_option_shows_a_secret() {
    captured::begin();
    let planted = Planted::new();
    let servers = Servers::start(&planted).await;
    let mut cases = 0;
    for row in table::rows(&planted, &servers) {
        assert!(!row.cases.is_empty(), "`{}` has no case", row.option);
        for case in row.cases {
            let what = format!("`{}`, {}", row.option, case.what);
            planted.assert_hidden(&what, &attempt(&what, case).await);
            cases += 1;
        }
    }
    assert!(cases > 300, "only {cases} cases");
    // The logs of all cases, at TRACE, of all crates: those of async-nats and nkeys too.
    planted.assert_hidden("the log", &captured::all());
    for of_client in [
        "read operation: INFO",
        "connecting to server",
        "connection attempt failed",
    ] {
        assert!(
            captured::has(of_client),
            "async-nats does not log any more: {of_client}"
        );
    }
}

/// What docs/production.md says of the log of async-nats at TRACE. If this fails, it shows more or
/// less: change that page.
#[tokio::test]
async fn async_nats_logs_names_and_no_secrets() {
    let planted = Planted::new();
    let servers = Servers::start(&planted).await;
    let options = servers.with_password(&planted).name("shown-name");
    works(crate::support::connect(options).await).await;
    for shown in [
        "name: Some(\"shown-name\")",
        "user: Some(\"anna\")",
        "pass: Some(\"XXXXXXXX\")",
        "subject=events.orders.",
        "headers=Some(",
    ] {
        captured::until(shown).await;
    }
    planted.assert_hidden("the log", &captured::all());
}

/// Connects as the case says; everything that is shown on the way.
async fn attempt(what: &str, case: Case) -> String {
    let mut shown = both(&case.options);
    let outcome = within("an outcome", Nats::connect(case.options)).await;
    match (outcome, case.ends) {
        (Ok(nats), Ends::Works) => {
            shown += &both(&nats);
            works(nats).await;
        }
        (Ok(nats), Ends::Connected) => {
            shown += &both(&nats);
            let bus = bus(nats);
            shown += &both(&bus);
            // Nothing that an error of the bus says of the connection may be a secret.
            if let Err(error) = within("the streams", bus.apply_streams()).await {
                shown += &chain(&error);
            }
            within("the end", bus.close()).await.ok();
        }
        (Err(error), Ends::Refused) => shown += &chain(&error),
        (Ok(_), Ends::Refused) => panic!("{what}: connected"),
        (Err(error), Ends::Works | Ends::Connected) => panic!("{what}: {}", chain(&error)),
    }
    shown
}

/// An error and its sources, in all forms.
fn chain(error: &Error) -> String {
    let mut text = format!("{error} {error:#} {}", both(error));
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, " {error} {error:#} {}", both(&error));
        source = error.source();
    }
    text
}

fn both(shown: &impl Debug) -> String {
    format!("{shown:?} {shown:#?} ")
}
