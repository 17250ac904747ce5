//! Advisories: which stream stores them, and what happens while nobody listens.

use event_sdk::transport::{
    Advisory, AdvisoryItem, AdvisoryKind, AdvisoryRequest, AdvisoryStream, Settlement,
    Transport as _, TransportExt as _,
};
use futures_util::{FutureExt as _, StreamExt as _};

use crate::support::*;

impl Rig {
    fn listen(&self) -> AdvisoryStream {
        let listening = self
            .transport
            .listen_to_advisories(AdvisoryRequest::default());
        now(listening).unwrap()
    }
}

fn heard(advisories: &mut AdvisoryStream) -> Vec<Advisory> {
    let mut heard = Vec::new();
    while let Some(Some(item)) = advisories.next().now_or_never() {
        match item.unwrap() {
            AdvisoryItem::Advisory(advisory) => heard.push(advisory),
            AdvisoryItem::Notice(notice) => panic!("{notice}"),
        }
    }
    heard
}

#[test]
fn a_stream_over_everything_stores_none() {
    let rig = Rig::plain();
    let mut sub = rig.subscribe(durable("d"));
    rig.publish("a");
    let mut advisories = rig.listen();
    let settler = sub.message().settler.unwrap();
    now(settler.settle(Settlement::Term(" odd ".to_owned()))).unwrap();
    let heard = heard(&mut advisories);
    let [advisory] = &heard[..] else {
        panic!("{heard:?}");
    };
    assert_eq!(advisory.reason.as_deref(), Some("odd"));
    assert_eq!(advisory.time, at(std::time::Duration::ZERO));
    assert_eq!(rig.state().last_sequence, 1);
}

#[test]
fn one_that_has_run_out_is_told_once_with_its_time() {
    let rig = Rig::plain();
    let mut config = durable("d");
    config.max_deliver = some(2);
    config.ack_wait = SECOND;
    let mut sub = rig.subscribe(config);
    let mut unnamed = rig.subscribe(ephemeral());
    rig.publish("a");
    let mut advisories = rig.listen();
    drop(unnamed.message());
    drop(sub.message());
    rig.step(SECOND);
    drop(sub.message());
    assert!(heard(&mut advisories).is_empty());
    rig.step(SECOND);
    assert!(sub.try_next().is_some_and(|item| matches!(
        item,
        event_sdk::transport::Incoming::Notice(notice) if notice.exhausted().is_some()
    )));
    let heard = heard(&mut advisories);
    let [advisory] = &heard[..] else {
        panic!("{heard:?}");
    };
    assert_eq!(advisory.kind, AdvisoryKind::MaxDeliveries);
    assert_eq!((advisory.deliveries, &*advisory.consumer), (2, "d"));
    assert_eq!(advisory.time, at(2 * SECOND));
}

#[test]
fn a_stream_may_store_those_of_its_own_consumers() {
    let subjects = AdvisoryKind::Terminated.subjects();
    let rig = Rig::new(|builder| {
        let stream = event_sdk::stream::StreamSpec::new("S").absolute(subjects);
        builder.stream(config(&stream.absolute("a")))
    });
    let mut only_a = durable("d");
    only_a.filters = vec![pattern("a")];
    let mut sub = rig.subscribe(only_a);
    rig.publish("a");
    let settler = sub.message().settler.unwrap();
    for _ in 0..2 {
        // The second terminates nothing.
        let term = Settlement::Term(String::new());
        now(settler.settle(term)).unwrap();
    }
    assert_eq!(rig.state().last_sequence, 2);
    rig.close();
    assert!(rig.transport.advisories().is_some());
}
