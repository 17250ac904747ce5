//! A model of attempt records: every order in which a process can deliver, start, finish and end, for
//! a few events, with the real rules of `Record`; and with a mistake planted in each rule.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::record::{LastOutcome, Record, Running, Verdict};

const CONCURRENCY: usize = 2;

/// What the handler of an event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handler {
    Succeeds,
    /// It fails once, and then succeeds.
    FailsOnce,
    EndsTheProcess,
}

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    /// Starts of redelivered events are not recorded.
    StartsAreNotRecorded,
    /// A suspect runs beside others.
    SuspectsRunBeside,
    /// An event dies although its last start was not alone.
    DeadBeside,
    /// A record without an outcome is taken for a failed attempt.
    NoSuspects,
    /// A start alone is recorded before it is the event's turn.
    RecordedBeforeItsTurn,
    /// Others start beside one that runs alone.
    OthersStartBesideAlone,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    events: Vec<Event>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    place: Place,
    delivered: u32,
    /// Handlers that were really started.
    starts: u32,
    /// How often it ran when the process ended.
    interrupted: u32,
    record: Option<Record>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    AtServer,
    Ready,
    Suspect,
    Running { alone: bool },
    Done,
    Dead,
}

struct Model {
    max_attempts: u32,
    handlers: Vec<Handler>,
    mistake: Option<Mistake>,
}

impl Event {
    fn record(&self) -> Record {
        self.record.clone().unwrap_or_default()
    }
}

impl Model {
    fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn verdict(&self, event: &Event) -> Verdict {
        let record = event.record();
        let over = record.starts >= self.max_attempts;
        match record.running {
            Some(_) if self.has(Mistake::DeadBeside) && over => Verdict::Dead,
            Some(_) if self.has(Mistake::NoSuspects) && over => Verdict::Dead,
            Some(_) if self.has(Mistake::NoSuspects) => Verdict::Beside,
            _ => record.verdict(self.max_attempts),
        }
    }

    /// All states that can follow.
    fn next(&self, state: &State) -> Vec<State> {
        let mut next = Vec::new();
        for id in 0..state.events.len() {
            match state.events[id].place {
                Place::AtServer => next.push(self.deliver(state, id)),
                Place::Ready => next.extend(self.start(state, id)),
                Place::Suspect => next.extend(self.start_alone(state, id)),
                Place::Running { .. } => next.push(self.finish(state, id)),
                Place::Done | Place::Dead => {}
            }
        }
        next
    }

    fn deliver(&self, state: &State, id: usize) -> State {
        let mut state = state.clone();
        let event = &mut state.events[id];
        // That it was delivered before is all that matters.
        event.delivered = (event.delivered + 1).min(2);
        event.place = Place::Ready;
        if event.delivered > 1 {
            event.place = match self.verdict(event) {
                Verdict::Beside => Place::Ready,
                Verdict::Alone => Place::Suspect,
                Verdict::Dead => Place::Dead,
            };
            if event.place == Place::Suspect && self.has(Mistake::RecordedBeforeItsTurn) {
                record_start(event, true);
            }
        }
        state
    }

    fn start(&self, state: &State, id: usize) -> Option<State> {
        let running = running(state);
        let closed = state.events.iter().any(|event| {
            event.place == Place::Suspect || event.place == Place::Running { alone: true }
        });
        let closed = closed && !self.has(Mistake::OthersStartBesideAlone);
        if closed || running.len() >= CONCURRENCY {
            return None;
        }
        let mut state = state.clone();
        let event = &mut state.events[id];
        if event.delivered > 1 && !self.has(Mistake::StartsAreNotRecorded) {
            record_start(event, false);
        }
        event.starts += 1;
        event.place = Place::Running { alone: false };
        Some(state)
    }

    fn start_alone(&self, state: &State, id: usize) -> Option<State> {
        if !running(state).is_empty() && !self.has(Mistake::SuspectsRunBeside) {
            return None;
        }
        let mut state = state.clone();
        let event = &mut state.events[id];
        if !self.has(Mistake::RecordedBeforeItsTurn) {
            record_start(event, true);
        }
        event.starts += 1;
        event.place = Place::Running { alone: true };
        Some(state)
    }

    fn finish(&self, state: &State, id: usize) -> State {
        let mut state = state.clone();
        let event = &mut state.events[id];
        let failed_before = event.record().last.is_some();
        match self.handlers[id] {
            Handler::EndsTheProcess => {
                for event in &mut state.events {
                    let runs = matches!(event.place, Place::Running { .. });
                    event.interrupted += u32::from(runs);
                    if !matches!(event.place, Place::Done | Place::Dead) {
                        event.place = Place::AtServer;
                    }
                }
            }
            Handler::FailsOnce if !failed_before => {
                let mut record = event.record();
                if record.running.is_none() {
                    record.starts += 1;
                }
                record.fail(LastOutcome::Retry, 0);
                let over = record.starts >= self.max_attempts;
                event.record = Some(record);
                event.place = if over { Place::Dead } else { Place::Ready };
            }
            Handler::Succeeds | Handler::FailsOnce => {
                event.record = None;
                event.place = Place::Done;
            }
        }
        state
    }

    /// Explores all states, and returns the first broken promise.
    fn check(&self) -> Result<usize, String> {
        let event = Event {
            place: Place::AtServer,
            delivered: 0,
            starts: 0,
            interrupted: 0,
            record: None,
        };
        let first = State {
            events: vec![event; self.handlers.len()],
        };
        let mut known = BTreeSet::from([first.clone()]);
        let mut before: BTreeMap<State, Vec<State>> = BTreeMap::new();
        let mut over = Vec::new();
        let mut open = VecDeque::from([first]);
        while let Some(state) = open.pop_front() {
            self.promises(&state)?;
            let next = self.next(&state);
            if next.is_empty() {
                over.push(state.clone());
            }
            for next in next {
                before.entry(next.clone()).or_default().push(state.clone());
                if known.insert(next.clone()) {
                    open.push_back(next);
                }
            }
        }
        // Whatever has happened, the end can be reached.
        let mut reached: BTreeSet<State> = over.iter().cloned().collect();
        while let Some(state) = over.pop() {
            for earlier in before.get(&state).into_iter().flatten() {
                if reached.insert(earlier.clone()) {
                    over.push(earlier.clone());
                }
            }
        }
        match known.difference(&reached).next() {
            Some(state) => Err(format!("the end cannot be reached: {state:?}")),
            None => Ok(known.len()),
        }
    }

    fn promises(&self, state: &State) -> Result<(), String> {
        let broken = |what: &str| Err(format!("{what}: {state:?}"));
        let running = running(state);
        let alone = running
            .iter()
            .any(|id| state.events[*id].place == Place::Running { alone: true });
        if alone && running.len() > 1 {
            return broken("a suspect does not run alone");
        }
        for (handler, event) in self.handlers.iter().zip(&state.events) {
            let is_killer = *handler == Handler::EndsTheProcess;
            if !is_killer && *handler == Handler::Succeeds && event.place == Place::Dead {
                return broken("an event is blamed for a neighbour");
            }
            // One start is not recorded, and one may be interrupted before it can be blamed.
            if is_killer && event.starts > self.max_attempts + 2 {
                return broken("an event that ends the process is started without a limit");
            }
            if is_killer && event.place == Place::Dead && event.starts < self.max_attempts {
                return broken("an event dies before its attempts are over");
            }
            if *handler == Handler::Succeeds && event.starts > 1 + event.interrupted {
                return broken("an event is repeated that did not run when the process ended");
            }
        }
        let all_over = state
            .events
            .iter()
            .all(|event| matches!(event.place, Place::Done | Place::Dead));
        if self.next(state).is_empty() && !all_over {
            return broken("nothing can happen");
        }
        Ok(())
    }
}

fn running(state: &State) -> Vec<usize> {
    let runs = |event: &Event| matches!(event.place, Place::Running { .. });
    (0..state.events.len())
        .filter(|id| runs(&state.events[*id]))
        .collect()
}

fn record_start(event: &mut Event, alone: bool) {
    let mut record = event.record();
    record.start(Running { token: 0, alone }, 0);
    event.record = Some(record);
}

const WORLDS: [&[Handler]; 4] = [
    &[Handler::EndsTheProcess, Handler::Succeeds],
    &[
        Handler::EndsTheProcess,
        Handler::EndsTheProcess,
        Handler::Succeeds,
    ],
    &[
        Handler::EndsTheProcess,
        Handler::Succeeds,
        Handler::Succeeds,
    ],
    &[
        Handler::EndsTheProcess,
        Handler::FailsOnce,
        Handler::Succeeds,
    ],
];

fn models(mistake: Option<Mistake>) -> impl Iterator<Item = Model> {
    [1, 2].into_iter().flat_map(move |max_attempts| {
        WORLDS.iter().map(move |handlers| Model {
            max_attempts,
            handlers: handlers.to_vec(),
            mistake,
        })
    })
}

#[test]
fn the_promises_hold_in_all_states() {
    for model in models(None) {
        let states = model.check().unwrap_or_else(|broken| panic!("{broken}"));
        assert!(states > 25, "{states} states");
    }
}

#[test]
fn each_planted_mistake_is_found() {
    for mistake in [
        Mistake::StartsAreNotRecorded,
        Mistake::SuspectsRunBeside,
        Mistake::DeadBeside,
        Mistake::NoSuspects,
        Mistake::RecordedBeforeItsTurn,
        Mistake::OthersStartBesideAlone,
    ] {
        let found = models(Some(mistake)).any(|model| model.check().is_err());
        assert!(found, "{mistake:?} is not found");
    }
}
