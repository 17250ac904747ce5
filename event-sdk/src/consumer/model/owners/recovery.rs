//! Whether everything is completed in the end, from any state.

use super::process::LONGEST;
use super::{Action, Owners};
use crate::consumer::model::search::{Model, fingerprint};
use crate::consumer::model::world::{Faults, World};

impl Owners {
    /// Without more faults, everything is completed and acknowledged; by one process, if the others
    /// are stopped for ever.
    pub(super) fn recovers(&self, mut world: World, alone: Option<usize>) -> Result<(), String> {
        for process in &mut world.processes {
            process.lease.want(true);
        }
        world.left = Faults {
            timeouts: 0,
            releases: 0,
        };
        for round in 0..20 {
            // Everything that is possible is done, before time passes. The server delivers again
            // at last.
            let mut times = 0;
            while times < 30 && self.all_prompt(&mut world, alone) {
                times += 1;
            }
            world.redeliver_all(alone);
            world.now += if round == 10 { LONGEST } else { 1 };
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
    fn all_prompt(&self, world: &mut World, alone: Option<usize>) -> bool {
        let before = fingerprint(world);
        let (mut planned, mut possible) = (Vec::new(), Vec::new());
        self.actions(world, &mut planned);
        for action in planned {
            possible.clear();
            self.actions(world, &mut possible);
            let prompt = match action {
                Action::Tick | Action::Redeliver(..) => false,
                Action::Lease(p) | Action::Deliver(p) | Action::Poll(p) => {
                    alone.is_none_or(|alone| alone == p)
                }
                _ => true,
            };
            if prompt && possible.contains(&action) {
                let _ = self.act(world, action);
            }
        }
        before != fingerprint(world)
    }
}
