//! Whether everything is completed in the end, from any state.

use super::process::LONGEST;
use super::{Action, Owners};
use crate::consumer::model::search::{Model, fingerprint};
use crate::consumer::model::world::{Faults, World};

/// In which rounds the bucket makes the writes of attempt records that are on their way.
const LATE: [usize; 6] = [0, 4, 6, 8, 10, 12];

impl Owners {
    /// Without more faults, everything is completed or dead, and acknowledged; by one process, if
    /// the others are frozen for ever.
    pub(super) fn recovers(&self, world: &World, alone: Option<usize>) -> Result<(), String> {
        if world.late_records.is_empty() {
            return self.recovers_with(world.clone(), alone, 0);
        }
        LATE.iter()
            .try_for_each(|late| self.recovers_with(world.clone(), alone, *late))
    }

    fn recovers_with(
        &self,
        mut world: World,
        alone: Option<usize>,
        late: usize,
    ) -> Result<(), String> {
        for process in &mut world.processes {
            process.lease.want(true);
        }
        world.left = Faults::default();
        // A handler that ends the process needs a new owner each time.
        for round in 0..20 + 20 * self.handlers.len() {
            // Everything that is possible is done, before time passes. The server delivers again
            // at last.
            let mut times = 0;
            while times < 30 && self.all_prompt(&mut world, alone, round >= late)? {
                times += 1;
            }
            world.redeliver_all(alone);
            world.now += if round % 20 == 10 { LONGEST } else { 1 };
        }
        let count = world.server.acked.len() as u64;
        if count == self.messages {
            return Ok(());
        }
        Err(format!(
            "only {count} messages are acknowledged in the end: {world:?}"
        ))
    }

    /// Does what is possible without delays and faults; whether that changed anything.
    fn all_prompt(
        &self,
        world: &mut World,
        alone: Option<usize>,
        late: bool,
    ) -> Result<bool, String> {
        let before = fingerprint(world);
        let (mut planned, mut possible) = (Vec::new(), Vec::new());
        self.actions(world, &mut planned);
        for action in planned {
            possible.clear();
            self.actions(world, &mut possible);
            let prompt = match action {
                Action::Tick | Action::Redeliver(..) | Action::SendRecord(..) => false,
                Action::MakeLateRecord(_) => late,
                Action::Lease(p) | Action::Deliver(p) | Action::Poll(p) => {
                    alone.is_none_or(|alone| alone == p)
                }
                _ => true,
            };
            if prompt && possible.contains(&action) {
                self.act(world, action)?;
            }
        }
        Ok(before != fingerprint(world))
    }
}
