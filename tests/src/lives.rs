//! The lives of a service that is killed and started again: what became of each event, by the lines
//! that the service wrote: `start <number> <ms>`, `end <number> <ms>`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// How long an acknowledgement may be on its way after the handler has ended, in milliseconds.
const ON_ITS_WAY: u128 = 500;

/// A life of the service; it is killed when this is dropped.
#[derive(Debug)]
pub struct Life {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Life {
    /// Starts the program.
    ///
    /// # Errors
    ///
    /// Those of starting a process.
    pub fn start(command: &mut Command) -> std::io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (stdout, into) = (child.stdout.take(), Arc::clone(&lines));
        let reader = std::thread::spawn(move || {
            let stdout = stdout.into_iter().flat_map(|it| BufReader::new(it).lines());
            for line in stdout.map_while(Result::ok) {
                let mut lines = into.lock().unwrap_or_else(PoisonError::into_inner);
                lines.push(line);
            }
        });
        Ok(Self {
            child,
            lines,
            reader: Some(reader),
        })
    }

    /// The process.
    #[must_use]
    pub fn child(&self) -> &Child {
        &self.child
    }

    /// Whether the process has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// How many lines were read so far that begin with this.
    #[must_use]
    pub fn count(&self, begin: &str) -> usize {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| line.starts_with(begin)).count()
    }

    /// The last line so far that begins with this.
    #[must_use]
    pub fn line(&self, begin: &str) -> Option<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let found = lines.iter().rfind(|line| line.starts_with(begin));
        found.cloned()
    }

    /// Kills it, unless it has ended, and returns all its lines. Returns whether it was killed, too.
    pub fn kill(mut self) -> (bool, Vec<String>) {
        let killed = !self.has_ended();
        let _ = self.child.kill();
        let _ = self.child.wait();
        (killed, self.into_lines())
    }

    /// All lines of a service that has ended.
    #[must_use]
    pub fn into_lines(mut self) -> Vec<String> {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *lines)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the lives of the service did with an event.
#[derive(Debug, Default)]
pub struct Story {
    /// Handlers that were started.
    pub starts: u32,
    /// Handlers that ended.
    pub ends: u32,
    /// Lives that ended while the event was in flight.
    pub interrupted: u32,
    /// Those of them that ended soon after its handler, so that what follows it may not have been done.
    pub interrupted_after: u32,
}

/// Reads the lines of one life; `killed` unless it ended gracefully.
pub fn read(lines: &[String], killed: bool, stories: &mut BTreeMap<u64, Story>) {
    let mut open = BTreeSet::new();
    let mut ended = Vec::new();
    let mut last = 0;
    for line in lines {
        let words: Vec<_> = line.split(' ').collect();
        let [what @ ("start" | "end"), number, at] = words[..] else {
            continue;
        };
        let (Ok(number), Ok(at)) = (number.parse::<u64>(), at.parse::<u128>()) else {
            // The process ended while it wrote the line.
            continue;
        };
        last = at.max(last);
        let story = stories.entry(number).or_default();
        if what == "start" {
            story.starts += 1;
            open.insert(number);
        } else {
            story.ends += 1;
            open.remove(&number);
            ended.push((number, last));
        }
    }
    if killed {
        let on_its_way = ended.iter().filter(|(_, at)| last - at < ON_ITS_WAY);
        for (number, _) in on_its_way {
            stories.entry(*number).or_default().interrupted_after += 1;
            open.insert(*number);
        }
        for number in open {
            stories.entry(number).or_default().interrupted += 1;
        }
    }
}
