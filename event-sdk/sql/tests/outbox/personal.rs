//! The text of a database that has data of an event is in no error.

use std::error::Error;
use std::fmt::Write as _;

use event_sdk_sql::{DatabaseError, StoreErrorKind};

use crate::rig::{Rig, placed};

#[tokio::test]
async fn the_text_of_a_trigger_is_not_shown() {
    let rig = Rig::new().await;
    rig.execute(crate::database::REFUSE_ROWS).await;
    let mut tx = rig.outbox.begin().await.expect("begin");
    let refused = rig.outbox.enqueue(&mut tx, placed("Ada", 1)).await;
    let error = refused.expect_err("the trigger refuses it");
    assert_eq!(error.kind(), StoreErrorKind::Other);
    let mut text = format!("{error} {error:?} {error:#?}");
    let source = error.source().expect("a source");
    let database = source.downcast_ref::<DatabaseError>();
    let exposed = database.expect("of the database").expose().to_string();
    assert!(exposed.contains("no Ada"), "{exposed}");
    let mut next = Some(source);
    while let Some(source) = next {
        let _ = write!(text, " {source} {source:?}");
        next = source.source();
    }
    assert!(!text.contains("Ada"), "{text}");
    assert!(text.contains("code \""), "{text}");
}
