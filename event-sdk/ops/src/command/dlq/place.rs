//! `Place`: where the letters of a command are: in a dead-letter stream, or in a store of the
//! program.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use event_sdk::dead_letters::{DeadLetterQueue, DeadLetterStream, LetterWorkflow};
use event_sdk_topology::DeadLetterSpec;

use crate::context::Context;
use crate::error::OpsError;

/// Whose letters a command is about.
#[derive(clap::Args)]
pub(crate) struct Place {
    /// The letters in this stream [default: the only place that the program declares]
    #[arg(
        long,
        value_name = "STREAM",
        conflicts_with = "store",
        help_heading = "Which letters"
    )]
    stream: Option<String>,
    /// The retry stream, for a stream that is not declared [default: <STREAM>_RETRY]
    #[arg(
        long,
        value_name = "STREAM",
        requires = "stream",
        help_heading = "Which letters"
    )]
    retry_stream: Option<String>,
    /// The tokens before `dlq.`, for a stream that is not declared
    #[arg(
        long,
        value_name = "TOKENS",
        requires = "stream",
        help_heading = "Which letters"
    )]
    under: Option<String>,
    /// The letters of a store of this program, such as a table
    #[arg(long, value_name = "NAME", help_heading = "Which letters")]
    store: Option<String>,
}

impl Place {
    /// The letters.
    pub(super) async fn open(&self, context: &Context<'_>) -> Result<Letters, OpsError> {
        match self.find(context)? {
            Found::Store(name, letters) => Ok(Letters {
                name: format!("the store {name}"),
                letters,
            }),
            Found::Stream(place) => Ok(Letters {
                name: format!("the stream {}", place.name()),
                letters: Arc::new(context.bus().await?.dead_letters(place)),
            }),
        }
    }

    /// The letters of a stream, whose keys can wait for them.
    pub(super) async fn in_stream(
        &self,
        context: &Context<'_>,
    ) -> Result<DeadLetterQueue, OpsError> {
        match self.find(context)? {
            Found::Stream(place) => Ok(context.bus().await?.dead_letters(place)),
            Found::Store(..) => Err(OpsError::Usage(
                "no key waits for letters of a store; only letters in a stream hold their keys (`--stream`)"
                    .to_owned(),
            )),
        }
    }

    fn find(&self, context: &Context<'_>) -> Result<Found, OpsError> {
        let declared = declared(context);
        let stores = &context.operations.letters;
        if let Some(name) = &self.store {
            let found = stores.iter().find(|(of, _)| of == name);
            return match found {
                Some((name, letters)) => Ok(Found::Store(name.clone(), Arc::clone(letters))),
                None => Err(OpsError::Usage(format!(
                    "`{}` has no store of letters named `{name}`; {}",
                    context.operations.name,
                    known(&declared, context)
                ))),
            };
        }
        if let Some(name) = &self.stream {
            let found = declared.into_iter().find(|place| place.name() == name);
            return Ok(Found::Stream(
                found.unwrap_or_else(|| self.undeclared(name)),
            ));
        }
        match (&declared[..], &stores[..]) {
            ([place], []) => Ok(Found::Stream(place.clone())),
            ([], [(name, letters)]) => Ok(Found::Store(name.clone(), Arc::clone(letters))),
            _ => Err(OpsError::Usage(format!(
                "which letters? {}; say it by `--stream` or `--store`",
                known(&declared, context)
            ))),
        }
    }

    fn undeclared(&self, name: &str) -> DeadLetterStream {
        let mut place = DeadLetterStream::new(name.to_owned());
        if let Some(retry) = &self.retry_stream {
            place = place.retry(retry.clone());
        }
        if let Some(tokens) = &self.under {
            place = place.under(tokens.clone());
        }
        place
    }
}

enum Found {
    Stream(DeadLetterStream),
    Store(String, Arc<dyn LetterWorkflow>),
}

/// The letters of a stream or of a store.
pub(super) struct Letters {
    name: String,
    letters: Arc<dyn LetterWorkflow>,
}

impl Deref for Letters {
    type Target = dyn LetterWorkflow;

    fn deref(&self) -> &Self::Target {
        &*self.letters
    }
}

impl fmt::Display for Letters {
    /// `the stream DLQ`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn declared(context: &Context<'_>) -> Vec<DeadLetterStream> {
    let topology = context.operations.topology;
    let specs = topology.map_or(&[][..], |topology| topology.dead_letter_specs());
    let specs = specs.iter().filter(|spec| !spec.are_in_tables());
    specs.map(DeadLetterSpec::place).collect()
}

/// Which places there are.
fn known(declared: &[DeadLetterStream], context: &Context<'_>) -> String {
    let streams = declared
        .iter()
        .map(|it| format!("the stream {}", it.name()));
    let stores = &context.operations.letters;
    let stores = stores.iter().map(|(name, _)| format!("the store {name}"));
    let known: Vec<_> = streams.chain(stores).collect();
    if known.is_empty() {
        format!("`{}` declares none", context.operations.name)
    } else {
        format!(
            "`{}` declares {}",
            context.operations.name,
            known.join(", ")
        )
    }
}
