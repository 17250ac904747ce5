//! Streams that take subjects of each other, by the steps of the plan.

use event_sdk::stream::StreamSpec;
use event_sdk_topology::{Action, Topology};

use crate::support::{Place, by_hand, everywhere};

everywhere! {
    two_streams_swap_their_subjects
    three_streams_pass_their_subjects_on
}

/// Follows the steps of the only refusal, as the command line would carry them out.
async fn follow(topology: &Topology, place: &Place, order: &[(&str, &str)]) {
    let bus = &place.bus;
    for (name, subject) in order {
        let name = (*name).to_owned();
        by_hand(bus, StreamSpec::new(name).subject((*subject).to_owned())).await;
    }
    let plan = topology.plan(bus).await.unwrap();
    let Some((_, refusal)) = plan.refusals().next() else {
        panic!("{plan}");
    };
    let edits = refusal.steps.iter().filter_map(|step| {
        let edit = step.split_once("`nats stream edit ")?.1;
        edit.strip_suffix('`')?.split_once(" --subjects ")
    });
    let edits: Vec<_> = edits.collect();
    let [(name, subject)] = edits[..] else {
        panic!("{plan}");
    };
    let edited = StreamSpec::new(name.to_owned()).absolute(subject.to_owned());
    by_hand(&place.other, edited).await;
    topology.apply(bus).await.unwrap();
    assert!(topology.plan(bus).await.unwrap().is_empty());
    assert!(topology.verify(bus).await.unwrap().is_clean());
}

async fn two_streams_swap_their_subjects(place: &Place) {
    const SWAPPED: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("A", &["b.>"]),
                StreamSpec::constant("B", &["a.>"]),
            ]
        },
    );
    follow(&SWAPPED, place, &[("A", "a.>"), ("B", "b.>")]).await;
}

async fn three_streams_pass_their_subjects_on(place: &Place) {
    const PASSED: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("A", &["b.>"]),
                StreamSpec::constant("C", &["a.>"]),
                StreamSpec::constant("B", &["c.>"]),
            ]
        },
    );
    let order = [("A", "a.>"), ("B", "b.>"), ("C", "c.>")];
    follow(&PASSED, place, &order).await;
}

#[tokio::test]
async fn an_order_that_will_do_is_told() {
    const MOVED: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("A", &["a.>", "b.>"]),
                StreamSpec::constant("B", &["c.>"]),
            ]
        },
    );
    let place = Place::memory();
    by_hand(&place.bus, StreamSpec::new("A").subject("a.>")).await;
    by_hand(&place.bus, StreamSpec::new("B").subject("b.>")).await;
    let plan = MOVED.plan(&place.bus).await.unwrap();
    let Action::Refuse(refusal) = &plan.parts[0].action else {
        panic!("{plan}");
    };
    assert!(refusal.steps[0].starts_with("declare A behind B"), "{plan}");
}
