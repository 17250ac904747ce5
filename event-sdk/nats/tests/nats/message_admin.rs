//! Deleting and purging: streams that do not allow it, and odd requests.

use event_sdk::transport::{
    Deletion, ErrorKind, Outcome, PurgeRequest, TransportExt as _, WhichMessage,
};
use event_sdk_test_servers::{Server, programs};

use crate::support::{Rig, draft, publish, raw_call, state, within};

#[tokio::test]
async fn a_stream_that_denies_deletion_says_so() {
    for program in [programs::nats::current(), programs::nats::oldest()] {
        let server = Server::options().program(program.unwrap());
        let rig = Rig::start_with(server, |options| options).await;
        let url = rig.server.url();
        let denying = r#"{"name":"S","subjects":["s.>"],"deny_delete":true,"deny_purge":true}"#;
        raw_call(&url, "STREAM.CREATE.S", denying).await;
        let open = r#"{"name":"T","subjects":["t.>"]}"#;
        raw_call(&url, "STREAM.CREATE.T", open).await;
        publish(&rig.nats, draft("s.a")).await.unwrap();
        publish(&rig.nats, draft("t.a")).await.unwrap();
        let sealed = r#"{"name":"T","subjects":["t.>"],"sealed":true}"#;
        raw_call(&url, "STREAM.UPDATE.T", sealed).await;
        for stream in ["S", "T"] {
            for deletion in [Deletion::Remove, Deletion::Erase] {
                let deleted = rig.nats.delete_message(stream, 1, deletion);
                let error = within(deleted).await.unwrap_err();
                assert_eq!(*error.kind(), ErrorKind::DeletionDenied, "{error}");
                assert_eq!(error.outcome(), Outcome::NotDone, "{error}");
                assert_eq!(error.stream(), Some(stream));
            }
            let mut request = PurgeRequest::all(stream);
            for before in [None, Some(2)] {
                request.before = before;
                let purged = rig.nats.purge_messages(request.clone());
                let error = within(purged).await.unwrap_err();
                assert_eq!(*error.kind(), ErrorKind::DeletionDenied, "{error}");
            }
            assert_eq!(state(&rig.nats, stream).await.messages, 1);
            let which = WhichMessage::Sequence(1);
            let found = within(rig.nats.get_message(stream, which)).await.unwrap();
            assert!(found.is_some());
        }
    }
}

#[tokio::test]
async fn what_is_no_name_of_a_stream_is_not_asked_for() {
    let rig = Rig::with_stream(|stream| stream).await;
    publish(&rig.nats, draft("s.a")).await.unwrap();
    for name in ["*", ">", "S.x", ""] {
        let purged = within(rig.nats.purge_messages(PurgeRequest::all(name))).await;
        let error = purged.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
        let which = WhichMessage::Sequence(1);
        let error = within(rig.nats.get_message(name, which)).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
    }
    assert_eq!(state(&rig.nats, "S").await.messages, 1);
}
