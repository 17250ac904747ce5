//! `dlq edit` refuses what would fail, a dry run too, and names the fields that differ.

use event_sdk::Event;
use event_sdk::dead_letters::DeadLetterClass;
use event_sdk_ops::Operations;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::sqlite::SqlitePoolOptions;

use super::rig::{MAIL, Shop, envelope, order};
use crate::program::{Ran, piped, ran, words};

/// An order was placed.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    order: u64,
    currency: String,
}

const ID: &str = "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b03";

async fn edit(shop: &Operations, args: &str, body: &str) -> Ran {
    let args = words(&format!("dlq edit --body - {args}"));
    ran(shop, &args, body.as_bytes(), false).await
}

#[tokio::test]
async fn a_dry_run_refuses_what_the_edit_refuses() {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    for rig in [Shop::memory(), Shop::table(pool).await] {
        rig.put_five().await;
        let shop = rig.operations.clone().events::<OrderPlaced>();
        assert_eq!(piped(&shop, "dlq archive 4").await.code, 0);
        let right = envelope(ID, "NOK");
        let wrong = right.replace("\"order\":7", &format!("\"order\":\"{MAIL}\""));
        let other = envelope("0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b99", "NOK");
        for (letter, body, why) in [
            (9, &*right, "there is no letter 9"),
            (3, "no JSON", "the edited body"),
            (3, &other, "another `event_id`"),
            (
                4,
                &right.replace("0b03", "0b04"),
                "its status is \"archived\"",
            ),
            (3, &wrong, "the event would fail again"),
        ] {
            for form in ["", "--dry-run", "--json", "--dry-run --json"] {
                let ran = edit(&shop, &format!("{letter} {form}"), body).await;
                assert_eq!((ran.code, &*ran.out), (2, ""), "{letter} {form}: {ran:?}");
                assert!(ran.err.contains(why), "{letter} {form}: {}", ran.err);
                assert!(!ran.err.contains("audit"), "{}", ran.err);
            }
        }
        let counted = piped(&shop, "dlq count").await;
        assert_eq!(counted.out, "4 letters\n", "nothing was redriven");
        let all_the_same = edit(&shop, "3 --dry-run --unchecked --json", &wrong).await;
        let all_the_same: Value = serde_json::from_str(&all_the_same.out).unwrap();
        assert_eq!(all_the_same["data_match"], false);

        let dry = edit(&shop, "3 --dry-run", &right).await;
        let fields =
            "letter 3 would be redriven with a body of 227 bytes\n  data.currency: changed\n";
        assert_eq!((dry.code, &*dry.out, &*dry.err), (0, fields, ""));
        let done = edit(&shop, "3 --json --by ann", &right).await;
        assert_eq!(done.code, 0, "{done:?}");
        let done: Value = serde_json::from_str(&done.out).unwrap();
        let change = json!([{ "path": "data.currency", "change": "changed" }]);
        assert_eq!(
            (&done["changes"], &done["data_match"]),
            (&change, &true.into())
        );
        let again = edit(&shop, "3 --dry-run", &right).await;
        assert_eq!(again.code, 2, "{again:?}");
    }
}

#[tokio::test]
async fn a_program_that_does_not_know_the_event_says_so() {
    let rig = Shop::memory();
    rig.put_five().await;
    let ran = edit(&rig.operations, "3 --dry-run --json", &envelope(ID, "NOK")).await;
    let ran: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(ran["data_match"], Value::Null);
    let mut text = order(6, DeadLetterClass::Unreadable);
    text.body = "no JSON".into();
    rig.put(&text).await;
    let body = envelope(ID, "NOK").replace("0b03", "0b06");
    let ran = edit(&rig.operations, "6 --dry-run", &body).await;
    assert!(ran.out.contains("the original body is no JSON"), "{ran:?}");
}

#[tokio::test]
async fn a_program_gets_all_letters() {
    let rig = Shop::memory();
    for sequence in 1..=101 {
        let mut letter = order(1, DeadLetterClass::Rejected);
        letter.origin.sequence = sequence;
        let id = format!("0193a5c2-7b1e-7c4a-9f55-{sequence:012}");
        letter.event_id = Some(id.parse().unwrap());
        rig.put(&letter).await;
    }
    for (args, rows, notice) in [
        ("--json", 101, false),
        ("--json --offset 100", 1, false),
        ("--json --limit 5", 5, true),
    ] {
        let ran = piped(&rig.operations, &format!("dlq ls {args}")).await;
        let found: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(found.as_array().unwrap().len(), rows, "{args}");
        assert_eq!(
            ran.err.contains("there are more letters"),
            notice,
            "{args}: {}",
            ran.err
        );
    }
    let ran = piped(&rig.operations, "dlq ls").await;
    assert_eq!(ran.out.lines().count(), 101, "100 rows and the headings");
    assert!(ran.err.contains("`--offset 100`"), "{}", ran.err);
}
