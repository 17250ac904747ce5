//! The users beside services: the deployment step, operators, monitoring.

use event_sdk::transport::Error;

use super::grants::{Grants, Names};
use super::lines::{
    ACCOUNT, APPLIES, BACKS_UP, COUNTS_PARTITIONS, DELETES, FINDS_STREAMS, KNOWS_ITSELF,
    LISTS_CONSUMERS, LOOKS_AT_DURABLE, LOOKS_AT_STREAM, PAUSES, PURGES, READS, REDRIVES,
    REDRIVES_OF_TABLES, RESETS,
};
use super::routes::Routes;

/// What a role sees of a topology.
pub(super) struct Sight<'a> {
    pub(super) routes: &'a Routes<'a>,
    /// The stream of the bucket.
    pub(super) kv: Option<&'a str>,
    /// The durables of redriven events: retry stream and name.
    pub(super) redriven: &'a [(String, String)],
}

impl Sight<'_> {
    /// `plan`, `apply`, `verify`.
    pub(super) fn deploys(&self) -> Result<Grants, Error> {
        let mut grants = Grants::default();
        grants.publish(ACCOUNT, &Names::default());
        grants.publish(FINDS_STREAMS, &Names::default());
        for stream in self.streams() {
            let names = of_stream(stream);
            grants.publish(LOOKS_AT_STREAM, &names);
            grants.publish(APPLIES, &names);
        }
        for original in self.routes.originals() {
            grants.publish(LOOKS_AT_STREAM, &of_stream(original));
        }
        for spec in self.routes.topology.consumers {
            for durable in self.routes.durables(spec)? {
                let names = Names {
                    durable: &durable.name,
                    ..of_stream(durable.stream)
                };
                grants.publish(LOOKS_AT_DURABLE, &names);
                durable.creates(&names, &mut grants);
                for other in spec.other_durables() {
                    let names = Names {
                        durable: &other,
                        consumer: spec.name,
                        ..of_stream(durable.stream)
                    };
                    grants.publish(COUNTS_PARTITIONS, &names);
                }
            }
        }
        Ok(grants)
    }

    /// Reads, backs up, purges and deletes events, pauses and resets consumers, and looks after dead letters.
    pub(super) fn operates(&self) -> Result<Grants, Error> {
        let mut grants = self.monitors()?;
        grants.publish(FINDS_STREAMS, &Names::default());
        for (stream, durable) in self.durables()? {
            let names = Names {
                durable: &durable,
                ..of_stream(&stream)
            };
            grants.publish(PAUSES, &names);
            grants.publish(RESETS, &names);
        }
        self.outcomes(&mut grants);
        for config in &self.routes.streams {
            let names = of_stream(&config.name);
            grants.publish(READS, &names);
            grants.publish(DELETES, &names);
            grants.publish(BACKS_UP, &names);
        }
        for stream in self.routes.topology.streams {
            grants.publish(PURGES, &of_stream(stream.name()));
        }
        for letters in self.routes.topology.dead_letters {
            let under = letters.before_subjects();
            let names = Names {
                consumer: "*",
                dlq: letters.name,
                retry: letters.retry,
                under: &under,
                ..Names::default()
            };
            let redrives = if letters.in_tables {
                REDRIVES_OF_TABLES
            } else {
                REDRIVES
            };
            grants.publish(redrives, &names);
        }
        Ok(grants)
    }

    /// What became of redriven events is read from the durables of their consumer, of which those with
    /// partitions have several: the ones beside them are asked for too.
    fn outcomes(&self, grants: &mut Grants) {
        let consumers = self.routes.topology.consumers.iter();
        for spec in consumers.filter(|spec| spec.partitions.is_some()) {
            let first = spec.durables().into_iter().next().unwrap_or_default();
            for (retry, _) in self.redriven.iter().filter(|(_, name)| *name == first) {
                for other in spec.other_durables() {
                    let names = Names {
                        durable: &other,
                        consumer: spec.name,
                        ..of_stream(retry)
                    };
                    grants.publish(COUNTS_PARTITIONS, &names);
                }
            }
        }
    }

    /// Reads states, and no events.
    pub(super) fn monitors(&self) -> Result<Grants, Error> {
        let mut grants = Grants::default();
        grants.publish(ACCOUNT, &Names::default());
        grants.publish(KNOWS_ITSELF, &Names::default());
        for stream in self.streams() {
            grants.publish(LOOKS_AT_STREAM, &of_stream(stream));
        }
        for config in &self.routes.streams {
            grants.publish(LISTS_CONSUMERS, &of_stream(&config.name));
        }
        for (stream, durable) in self.durables()? {
            let names = Names {
                durable: &durable,
                ..of_stream(&stream)
            };
            grants.publish(LOOKS_AT_DURABLE, &names);
        }
        Ok(grants)
    }

    /// All durables with their streams, also those of redriven events.
    fn durables(&self) -> Result<Vec<(String, String)>, Error> {
        let mut all = Vec::new();
        for spec in self.routes.topology.consumers {
            let durables = self.routes.durables(spec)?.into_iter();
            all.extend(durables.map(|one| (one.stream.to_owned(), one.name)));
        }
        all.extend(self.redriven.iter().cloned());
        Ok(all)
    }

    /// All streams, with that of the bucket.
    fn streams(&self) -> impl Iterator<Item = &str> {
        let streams = self.routes.streams.iter().map(|config| &*config.name);
        streams.chain(self.kv)
    }
}

fn of_stream(stream: &str) -> Names<'_> {
    Names {
        stream,
        ..Names::default()
    }
}
