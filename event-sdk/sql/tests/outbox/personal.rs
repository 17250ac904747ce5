//! The text of a database that has data of an event is in no error.

use std::error::Error;
use std::fmt::Write as _;

use event_sdk_sql::{DatabaseError, StoreError, StoreErrorKind};

use crate::rig::{Rig, placed};

#[tokio::test]
async fn the_text_of_a_trigger_is_not_shown() {
    for (trigger, kind) in crate::database::REFUSE_ROWS {
        let rig = Rig::new().await;
        rig.execute(trigger).await;
        let error = refused(&rig).await;
        assert_eq!(error.kind(), *kind, "{trigger}");
        let exposed = database_error(&error).expose();
        let exposed = format!("{exposed} {exposed:?}");
        assert!(exposed.contains("Ada"), "{exposed}");
        let text = shown(&error);
        assert!(!text.contains("Ada"), "{text}");
        assert!(text.contains("code \""), "{text}");
    }
}

#[tokio::test]
async fn the_text_about_a_table_that_is_missing_is_shown() {
    let rig = Rig::without_tables().await;
    let error = refused(&rig).await;
    assert_eq!(error.kind(), StoreErrorKind::SchemaMissing);
    let text = database_error(&error).to_string();
    assert!(text.contains("event_outbox"), "{text}");
    assert!(!shown(&error).contains("Ada"));
}

/// The error of an event with the key `Ada`.
async fn refused(rig: &Rig) -> StoreError {
    let mut tx = rig.outbox.begin().await.expect("begin");
    let refused = rig.outbox.enqueue(&mut tx, placed("Ada", 1)).await;
    refused.expect_err("the database refuses it")
}

fn database_error(error: &StoreError) -> &DatabaseError {
    let source = error.source().expect("a source");
    source.downcast_ref().expect("an error of the database")
}

/// All texts of an error and of its sources.
fn shown(error: &StoreError) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut next = error.source();
    while let Some(source) = next {
        let _ = write!(text, " {source} {source:?}");
        next = source.source();
    }
    text
}
