//! `visit` and `shortest`: visit every reachable state of a model, and check each.

use std::collections::HashSet;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};

/// A model: states, and the actions that lead from one to others.
pub(super) trait Model {
    /// A state.
    type State: Clone + Hash;
    /// What can happen in a state.
    type Action: Copy + Debug;

    /// The first state.
    fn initial(&self) -> Self::State;

    /// Adds the actions that are possible in `state`.
    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>);

    /// The state after an action; an error if the action breaks a promise.
    fn step(&self, state: &Self::State, action: Self::Action) -> Result<Self::State, String>;

    /// One state in so many is checked with [`check`](Self::check).
    fn checks_one_in(&self) -> u128;

    /// Checks a promise about what can still be reached from a state. It is called for a part of
    /// the states, since it costs more.
    fn check(&self, state: &Self::State) -> Result<(), String>;
}

/// What a search has visited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visited {
    /// Number of different states.
    pub(super) states: usize,
    /// Number of actions tried.
    pub(super) actions: usize,
    /// Number of states on the longest way that was taken.
    pub(super) depth: usize,
    /// Number of states for which [`Model::check`] was called.
    pub(super) checked: usize,
}

/// A broken promise, and the shortest way to it.
#[derive(Debug)]
pub(super) struct Broken {
    /// What is wrong.
    pub(super) promise: String,
    /// The actions that lead to it.
    pub(super) trace: Vec<String>,
    /// Number of states visited until then.
    pub(super) states: usize,
}

impl fmt::Display for Visited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            states,
            actions,
            depth,
            checked,
        } = self;
        write!(
            f,
            "{states} states, {actions} actions, depth {depth}, {checked} recoveries"
        )
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace = self.trace.join(" ");
        write!(
            f,
            "{} (after {} states): {trace}",
            self.promise, self.states
        )
    }
}

/// Visits all states, depth first: it needs little memory.
pub(super) fn visit<M: Model>(model: &M) -> Result<Visited, Broken> {
    let initial = model.initial();
    let mut seen = HashSet::from([fingerprint(&initial)]);
    let (mut tried, mut depth, mut checked) = (0, 0, 0);
    let mut actions = Vec::new();
    model.actions(&initial, &mut actions);
    // Each state on the way, the actions that are left in it, and the one that was taken.
    let mut way = vec![(initial, actions.clone(), None)];
    while let Some((state, left, taken)) = way.last_mut() {
        let Some(action) = left.pop() else {
            way.pop();
            continue;
        };
        *taken = Some(action);
        tried += 1;
        let after = model.step(state, action).and_then(|after| {
            let print = fingerprint(&after);
            let new = seen.insert(print);
            if new && print.is_multiple_of(model.checks_one_in()) {
                checked += 1;
                model.check(&after)?;
            }
            Ok(new.then_some(after))
        });
        let after = after.map_err(|promise| Broken {
            promise,
            trace: way
                .iter()
                .filter_map(|step| step.2)
                .map(|a| format!("{a:?}"))
                .collect(),
            states: seen.len(),
        })?;
        if let Some(after) = after {
            actions.clear();
            model.actions(&after, &mut actions);
            way.push((after, actions.clone(), None));
            depth = depth.max(way.len());
        }
    }
    Ok(Visited {
        states: seen.len(),
        actions: tried,
        depth,
        checked,
    })
}

/// Visits states breadth first, until a promise is broken: in the fewest actions. `None` if that
/// happens in no state.
pub(super) fn shortest<M: Model>(model: &M) -> Option<Broken> {
    let mut seen = HashSet::new();
    // How each state was reached first: the place of the state before it, and the action.
    let mut ways: Vec<Option<(usize, M::Action)>> = vec![None];
    let initial = model.initial();
    seen.insert(fingerprint(&initial));
    let mut level = vec![(0, initial)];
    let mut actions = Vec::new();
    while !level.is_empty() {
        let mut next = Vec::new();
        for (place, state) in level {
            actions.clear();
            model.actions(&state, &mut actions);
            for action in &actions {
                match model.step(&state, *action) {
                    Ok(after) => {
                        if seen.insert(fingerprint(&after)) {
                            ways.push(Some((place, *action)));
                            next.push((ways.len() - 1, after));
                        }
                    }
                    Err(promise) => {
                        return Some(Broken {
                            promise,
                            trace: trace(&ways, place, *action),
                            states: seen.len(),
                        });
                    }
                }
            }
        }
        level = next;
    }
    None
}

fn trace<A: Copy + Debug>(ways: &[Option<(usize, A)>], mut place: usize, last: A) -> Vec<String> {
    let mut actions = vec![last];
    while let Some((before, action)) = ways[place] {
        actions.push(action);
        place = before;
    }
    actions
        .iter()
        .rev()
        .map(|action| format!("{action:?}"))
        .collect()
}

/// Stands for a state: with 128 bits, two of some millions of states are never the same by chance.
pub(super) fn fingerprint<S: Hash>(state: &S) -> u128 {
    let mut hasher = Fingerprint(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    state.hash(&mut hasher);
    let mixed = hasher.0 ^ (hasher.0 >> 61);
    mixed.wrapping_mul(Fingerprint::FACTOR) ^ (mixed >> 67)
}

/// A hasher that costs little in a build without optimizations.
struct Fingerprint(u128);

impl Fingerprint {
    const FACTOR: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ u128::from(word)).wrapping_mul(Self::FACTOR);
        self.0 ^= self.0 >> 59;
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.add(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.add(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.add(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.add(word as u64);
    }

    fn finish(&self) -> u64 {
        u64::try_from(self.0 >> 64).unwrap_or_default()
    }
}
