//! Rows about single messages and advisories.

use event_sdk::Pattern;
use event_sdk::transport::{
    AdvisoryRequest, Deletion, Error, PurgeRequest, TransportExt as _, WhichMessage,
};

use super::Case;
use crate::support::within;

pub(super) async fn gets(case: Case) -> Result<(), Error> {
    let (nats, stream) = (case.nats(), case.own("ORDERS"));
    let under = Pattern::parse(case.own("events.") + "orders.>").unwrap();
    for (which, sequence) in [
        (WhichMessage::Sequence(1), 1),
        (WhichMessage::LastUnder(under), 2),
    ] {
        let found = within("a message", nats.get_message(&stream, which)).await?;
        assert_eq!(found.map(|found| found.sequence), Some(sequence));
    }
    Ok(())
}

pub(super) async fn deletes(case: Case) -> Result<(), Error> {
    let (nats, stream) = (case.nats(), case.own("ORDERS"));
    for deletion in [Deletion::Remove, Deletion::Erase] {
        let sequence = if deletion == Deletion::Erase { 1 } else { 2 };
        let deleted = nats.delete_message(&stream, sequence, deletion);
        assert!(within("a deletion", deleted).await?);
    }
    Ok(())
}

pub(super) async fn purges(case: Case) -> Result<(), Error> {
    let mut request = PurgeRequest::all(case.own("ORDERS"));
    request.filter = Some(Pattern::parse(case.own("events.") + "orders.>").unwrap());
    request.keep = Some(1);
    let purged = within("a purge", case.nats().purge_messages(request.clone())).await?;
    assert_eq!(purged, 1);
    request.keep = None;
    request.before = Some(9);
    let purged = within("a purge", case.nats().purge_messages(request)).await?;
    assert_eq!(purged, 1);
    Ok(())
}

pub(super) async fn purges_before(case: Case) -> Result<(), Error> {
    let mut request = PurgeRequest::all(case.own("ORDERS"));
    request.before = Some(2);
    let purged = within("a purge", case.nats().purge_messages(request)).await?;
    assert_eq!(purged, 1);
    Ok(())
}

pub(super) async fn listens(case: Case) -> Result<(), Error> {
    let mut request = AdvisoryRequest::default();
    request.stream = Some(case.own("ORDERS").into());
    let listening = case.nats().listen_to_advisories(request);
    within("listening", listening).await.map(drop)
}
