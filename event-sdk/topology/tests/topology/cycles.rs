//! Sources that a server refuses as a cycle, and messages that would go round through streams that nobody
//! declares: the plan refuses both, and nothing else.

use std::sync::mpsc;
use std::time::Duration;

use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk::transport::memory::MemoryTransport;
use event_sdk_topology::{Action, Topology};

use crate::support::{Place, bus, by_hand};

/// A topology of streams that are made at run time.
fn topology(streams: Vec<StreamSpec>) -> Topology {
    Topology::new(Box::leak(streams.into_boxed_slice()))
}

fn sources(of: &[Upstream]) -> &'static [Upstream] {
    Box::leak(of.to_vec().into_boxed_slice())
}

/// The reason for which the plan refuses the only stream of a topology.
async fn refused(place: &Place, topology: Topology) -> Option<String> {
    let plan = topology.plan(&place.bus).await.unwrap();
    match &plan.parts[0].action {
        Action::Refuse(refusal) => Some(refusal.reason.clone()),
        _ => None,
    }
}

/// Copies what comes back through four others.
const LOOP: Topology = Topology::new(
    const {
        &[StreamSpec::constant("A", &[])
            .sources(const { &[Upstream::of("B").filter(">"), Upstream::of("F")] })]
    },
);

/// What it copies gets a token more with each round.
const GROWING: Topology = Topology::new(
    const {
        &[StreamSpec::constant("A", &["a.>"])
            .sources(const { &[Upstream::of("B").moved_to("events.copied")] })]
    },
);

/// The other one copies it, too; both move what they copy.
const BOTH_WAYS: Topology = Topology::new(
    const {
        &[StreamSpec::constant("A", &["a.>"])
            .sources(const { &[Upstream::of("B").moved_to("of.b")] })]
    },
);

/// An original that is copied twice.
const TWICE: Topology = Topology::new(
    const {
        &[StreamSpec::constant("ALL", &[])
            .sources(const { &[Upstream::of("ORDERS"), Upstream::of("COPY")] })]
    },
);

#[tokio::test]
async fn a_loop_of_undeclared_streams_is_refused() {
    let place = Place::current().await;
    // A server does not see it: no filter meets subjects of the stream that has it.
    let names = ["B", "C", "D", "E", "A"];
    for pair in names.windows(2) {
        let source = sources(&[Upstream::of(pair[1]).filter(">")]);
        by_hand(&place.bus, StreamSpec::new(pair[0]).sources(source)).await;
    }
    by_hand(&place.bus, StreamSpec::new("F").subject("f.>")).await;
    let reason = refused(&place, LOOP).await.unwrap();
    assert!(
        reason.ends_with("an end: A → E → D → C → B → A"),
        "{reason}"
    );
    // What the server would have made of it.
    let a = StreamSpec::new("A");
    let source = sources(&[Upstream::of("B").filter(">"), Upstream::of("F")]);
    by_hand(&place.bus, a.sources(source)).await;
}

#[tokio::test]
async fn a_loop_that_gives_its_messages_more_tokens_is_refused() {
    let place = Place::current().await;
    let source = sources(&[Upstream::of("A").filter(">")]);
    by_hand(&place.bus, StreamSpec::new("B").sources(source)).await;
    let reason = refused(&place, GROWING).await.unwrap();
    assert!(reason.ends_with("an end: A → B → A"), "{reason}");
}

#[tokio::test]
async fn what_a_server_takes_for_a_cycle_is_refused_before() {
    let place = Place::current().await;
    // Both ways get other subjects, so that nothing comes back.
    let moved = sources(&[Upstream::of("A").moved_to("of.a")]);
    by_hand(
        &place.bus,
        StreamSpec::new("B").subject("b.>").sources(moved),
    )
    .await;
    let reason = refused(&place, BOTH_WAYS).await.unwrap();
    assert_eq!(
        reason,
        "a server refuses it as a cycle, whatever `moved_to` makes of the subjects: its sources lead back to it, as a source of B"
    );
    by_hand(&place.bus, StreamSpec::new("ORDERS").subject("orders.>")).await;
    let copy = StreamSpec::new("COPY").mirror(Upstream::of("ORDERS"));
    by_hand(&place.bus, copy).await;
    let plan = TWICE.plan(&place.bus).await.unwrap();
    let Action::Refuse(refusal) = &plan.parts[0].action else {
        panic!("{plan}");
    };
    assert!(
        refusal
            .reason
            .contains("lead to ORDERS more than once, at last as a source of COPY"),
        "{plan}"
    );
    assert_eq!(refusal.steps.len(), 2, "{plan}");
}

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

const NAMES: [&str; 5] = ["A", "B", "C", "D", "E"];

/// A mirror or a stream with sources among the five.
fn any(numbers: &mut Numbers, name: &'static str) -> StreamSpec {
    const SUBJECTS: [&[&str]; 5] = [&["a.>"], &["b.>"], &["c.>"], &["d.>"], &["e.>"]];
    let own = NAMES.iter().position(|one| *one == name).unwrap();
    let mut originals: Vec<_> = NAMES.into_iter().filter(|one| *one != name).collect();
    let mut upstream = |numbers: &mut Numbers| {
        let of = Upstream::of(originals.remove(numbers.below(originals.len())));
        match numbers.below(4) {
            0 => of,
            1 => of.moved_to(["x", "y"][numbers.below(2)]),
            2 => of.filter(">"),
            _ => of.filter(SUBJECTS[numbers.below(5)][0]),
        }
    };
    if numbers.below(5) == 0 {
        return StreamSpec::constant(name, &[]).mirror(upstream(numbers));
    }
    let subjects: &[&str] = if numbers.below(2) == 0 {
        &[]
    } else {
        SUBJECTS[own]
    };
    let of = (0..=numbers.below(2)).map(|_| upstream(numbers));
    let of: Vec<_> = of.collect();
    StreamSpec::constant(name, subjects).sources(sources(&of))
}

/// The plan says of five streams, one after the other, what the server does.
async fn as_the_server_does(place: Place, seed: u64) {
    let mut numbers = Numbers(seed);
    let (mut cycles, mut made) = (0, 0);
    let streams = place.bus.transport().stream_admin().unwrap();
    for case in 0..60 {
        for name in NAMES {
            let spec = any(&mut numbers, name);
            let config = spec.config("events").unwrap();
            let planned = refused(&place, topology(vec![spec.clone()])).await;
            let done = streams.apply(&config).await.err().map(|it| it.to_string());
            let shown = format!("{case}: {spec:?}\n{planned:?}\n{done:?}");
            match (planned, done) {
                (Some(planned), Some(done)) if planned.contains("as a cycle") => {
                    assert!(done.contains("detected cycle"), "{shown}");
                    cycles += 1;
                }
                // The server does not see it, or calls it a cycle.
                (Some(planned), _) => assert!(planned.contains("without an end"), "{shown}"),
                (None, done) => {
                    assert_eq!(done, None, "{shown}");
                    made += 1;
                }
            }
        }
        place.delete(&NAMES).await;
    }
    assert!(cycles > 10 && made > 100, "{cycles} cycles, {made} made");
}

#[tokio::test]
async fn cycles_are_those_of_the_server_current() {
    as_the_server_does(Place::current().await, 1).await;
}

#[tokio::test]
async fn cycles_are_those_of_the_server_oldest() {
    as_the_server_does(Place::oldest().await, 2).await;
}

#[test]
fn many_ways_are_followed_once() {
    // Each stream of a step copies both of the next one, so that the ways are 2^30.
    let name = |step: usize, side| format!("S{step}{side}").leak() as &'static str;
    let mut streams = Vec::new();
    for step in 0..30 {
        for side in ["A", "B"] {
            let of = ["A", "B"].map(|other| Upstream::of(name(step + 1, other)));
            streams.push(StreamSpec::constant(name(step, side), &[]).sources(sources(&of)));
        }
    }
    let (done, planned) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let memory = MemoryTransport::builder().without_default_stream();
        let bus = bus(memory.build().unwrap());
        let plan = runtime.block_on(topology(streams).plan(&bus)).unwrap();
        done.send(plan.warnings.len()).unwrap();
    });
    let warnings = planned.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(
        warnings, 4,
        "those of the last step copy two that are missing"
    );
}
