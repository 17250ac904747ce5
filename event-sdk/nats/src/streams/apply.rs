//! Creates or updates a stream from a declaration, and reports what changed; only when called
//! by name.

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::config::{ConfigJson, nanos, schedule_subjects, window};
use super::{check, info, names};
use crate::context::NatsContext;
use crate::error::{ApiError, ErrorContext, code};
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Capability, Difference, Error, ErrorKind, Operation, Outcome, StreamChange,
};

/// How often it is looked again when another client has applied the same stream
/// at the same time.
const ROUNDS: u32 = 4;

/// How long to wait before that where a cluster is not ready, at first.
const PAUSE: Duration = Duration::from_millis(250);

/// For how long it is waited until all of a cluster knows, and how often it is looked.
const KNOWING: Duration = Duration::from_secs(2);
const LOOKING: Duration = Duration::from_millis(20);

/// The shortest deduplication window (nats-server, `server/stream.go`).
const LEAST_WINDOW: Duration = Duration::from_millis(100);

/// A stream as it is to be.
pub(crate) trait Declared: Sync {
    /// Its name, which is valid.
    fn name(&self) -> &Text;

    /// The subjects that it stores.
    fn subjects(&self) -> Vec<&str>;

    /// The configuration of a new stream.
    fn created(&self) -> ConfigJson;

    /// The existing configuration, changed to what it is to be.
    fn changed(&self, existing: ConfigJson) -> ConfigJson;

    /// Why the existing configuration cannot be changed to what it is to be.
    fn refuses(&self, context: &NatsContext, existing: &ConfigJson) -> Option<Error> {
        let _ = (context, existing);
        None
    }

    /// What to do about a server that finds no place for it.
    fn placement(&self) -> Option<String> {
        None
    }

    /// The settings of the existing configuration that differ; or why it cannot be read.
    fn differences(&self, existing: &ConfigJson) -> Result<Vec<Difference>, String>;
}

/// The configuration of a stream, which a server can have.
struct Possible {
    config: StreamConfig,
    /// The duplicate window of a stream that has sources alone, where the server would take its own: the
    /// copying would end at a message id that comes twice.
    window: Option<Duration>,
}

impl Possible {
    fn with_window(&self, mut json: ConfigJson) -> ConfigJson {
        if let Some(window) = self.window {
            json.set("duplicate_window", nanos(window));
        }
        json
    }
}

impl Declared for Possible {
    fn name(&self) -> &Text {
        &self.config.name
    }

    fn subjects(&self) -> Vec<&str> {
        self.config.subjects.iter().map(AsRef::as_ref).collect()
    }

    fn created(&self) -> ConfigJson {
        self.with_window(ConfigJson::new(&self.config))
    }

    fn changed(&self, existing: ConfigJson) -> ConfigJson {
        self.with_window(existing.with(&self.config))
    }

    fn refuses(&self, context: &NatsContext, existing: &ConfigJson) -> Option<Error> {
        let existing = existing.read().ok()?;
        let refuse = |why: &str| Error::new(ErrorKind::InvalidOption, Operation::Manage, why);
        if existing.schedules && !self.config.schedules {
            return Some(refuse(
                "it allows schedules, and goes on to; declare it with `schedules()`, as it is",
            ));
        }
        if let Some(why) = existing.denial_to_keep(&self.config) {
            return Some(refuse(&format!(
                "{why}; declare it so, or delete the stream and create it again"
            )));
        }
        if let Some(why) = existing.rollup_to_declare(&self.config) {
            return Some(refuse(why));
        }
        match (&existing.mirror, &self.config.mirror) {
            (None, None) => None,
            (Some(_), None) if context.server().promotes_mirrors() => None,
            (Some(_), None) => {
                let capability = Capability::PromoteMirror;
                let remedy = context.remedy(capability);
                Some(Error::unsupported(capability, Operation::Manage, &remedy))
            }
            (has, wants) if has == wants => None,
            _ => Some(refuse(
                "no server changes what a stream mirrors; delete the stream and create it again, or declare one of another name",
            )),
        }
    }

    fn placement(&self) -> Option<String> {
        let placement = self.config.placement.as_ref()?;
        Some(format!(
            "its placement is {placement}, with {} replicas; compare the name of the cluster and the `server_tags` of its servers",
            self.config.replicas
        ))
    }

    fn differences(&self, existing: &ConfigJson) -> Result<Vec<Difference>, String> {
        let mut existing = existing.read()?;
        // No server bounds it, so it never differs.
        existing.deduplication.capacity = self.config.deduplication.capacity;
        Ok(existing.differences(&self.config))
    }
}

/// Creates the stream or changes it.
pub(super) async fn apply_stream(
    context: &NatsContext,
    config: &StreamConfig,
) -> Result<StreamChange, Error> {
    let about = ErrorContext::new(Operation::Manage).stream(config.name.clone());
    let wanted = possible(context, &about, config)?;
    apply(context, &about, &wanted).await
}

/// Creates the stream or changes it.
pub(crate) async fn apply(
    context: &NatsContext,
    about: &ErrorContext,
    wanted: &impl Declared,
) -> Result<StreamChange, Error> {
    let mut round = 1;
    // What was asked for, and may have been done.
    let mut asked = None;
    loop {
        let change = match once(context, about, wanted, &mut asked).await {
            // A busy cluster may do it and answer too late.
            Err(error) if round < ROUNDS && is_open(&error) => {
                round += 1;
                continue;
            }
            result => result?,
        };
        match change {
            Ok(StreamChange::Unchanged) => return Ok(asked.unwrap_or(StreamChange::Unchanged)),
            Ok(change) => return Ok(change),
            // Somebody else was quicker; it may be what we want.
            Err(error)
                if round < ROUNDS && error.is(&[code::STREAM_EXISTS, code::STREAM_NOT_FOUND]) =>
            {
                round += 1;
                asked = None;
            }
            // A cluster that elects a leader, or waits for a server.
            Err(error) if round < ROUNDS && error.is_transient() => {
                tokio::time::sleep(PAUSE * round).await;
                round += 1;
                asked = None;
            }
            Err(error) if error.is(&[code::NO_PLACE]) => {
                let advice = wanted.placement();
                return Err(match advice {
                    Some(advice) => about.error(ErrorKind::InvalidOption, error.reason(&advice)),
                    None => error.into_error(about),
                });
            }
            Err(error) => return Err(error.into_error(about)),
        }
    }
}

/// What differs from an existing stream; the error is
/// [`StreamNotFound`](ErrorKind::StreamNotFound) without one.
pub(crate) async fn compare(
    context: &NatsContext,
    about: &ErrorContext,
    wanted: &impl Declared,
) -> Result<Vec<Difference>, Error> {
    let existing = info(context, about, wanted.name()).await?;
    differences(about, &existing.config, wanted)
}

/// Whether it may have been done all the same.
fn is_open(error: &Error) -> bool {
    *error.kind() == ErrorKind::Timeout && error.outcome() == Outcome::Unknown
}

/// Looks, and writes if there is something to be written.
async fn once(
    context: &NatsContext,
    about: &ErrorContext,
    wanted: &impl Declared,
    asked: &mut Option<StreamChange>,
) -> Result<Result<StreamChange, ApiError>, Error> {
    let existing = match info(context, about, wanted.name()).await {
        Ok(info) => Some(info.config),
        Err(error) if *error.kind() == ErrorKind::StreamNotFound => None,
        Err(error) => return Err(error),
    };
    let (what, config, change) = match existing {
        None => ("CREATE", wanted.created(), StreamChange::Created),
        Some(existing) => {
            if let Some(error) = wanted.refuses(context, &existing) {
                return Err(about.on(error));
            }
            let differences = differences(about, &existing, wanted)?;
            if differences.is_empty() {
                return Ok(Ok(StreamChange::Unchanged));
            }
            let config = wanted.changed(existing);
            ("UPDATE", config, StreamChange::Updated { differences })
        }
    };
    let call = format!("STREAM.{what}.{}", wanted.name());
    asked.get_or_insert_with(|| change.clone());
    Ok(match context.call(about, &call, config.as_json()).await? {
        Ok(Made { config }) => {
            same(about, &config, wanted)?;
            known(context, about, wanted).await;
            Ok(change)
        }
        Err(error) => Err(error),
    })
}

/// Waits until the server that is asked for streams knows what this one stores: in a
/// cluster it is another than the one that has made it.
async fn known(context: &NatsContext, about: &ErrorContext, wanted: &impl Declared) {
    if !context.server().clustered {
        return;
    }
    let begun = Instant::now();
    for pattern in wanted.subjects() {
        // Whoever may not ask for streams does not find them by their subjects either.
        while let Ok(found) = names(context, about, pattern).await
            && !found.contains(wanted.name())
            && begun.elapsed() < KNOWING
        {
            tokio::time::sleep(LOOKING).await;
        }
    }
}

/// The answer to a stream that was created or changed.
#[derive(Deserialize)]
struct Made {
    config: ConfigJson,
}

/// The server may have left out what it does not know, without saying so.
fn same(about: &ErrorContext, made: &ConfigJson, wanted: &impl Declared) -> Result<(), Error> {
    let differences = differences(about, made, wanted)?;
    let Some(first) = differences.first() else {
        return Ok(());
    };
    Err(about
        .error(
            ErrorKind::Other,
            format!("the server made another stream than was asked for: {first}"),
        )
        .with_unknown_outcome())
}

fn differences(
    about: &ErrorContext,
    existing: &ConfigJson,
    wanted: &impl Declared,
) -> Result<Vec<Difference>, Error> {
    wanted.differences(existing).map_err(|why| {
        about.error(
            ErrorKind::Other,
            format!("the configuration of the stream that exists cannot be read: {why}"),
        )
    })
}

/// Whether the stream can allow schedules, if it is to: an older server would leave this out and say
/// nothing.
fn check_schedules(
    context: &NatsContext,
    about: &ErrorContext,
    config: &StreamConfig,
) -> Result<(), Error> {
    if !config.schedules {
        return Ok(());
    }
    if !context.has_schedules() {
        let (capability, operation) = (Capability::Scheduler, about.operation);
        let remedy = context.remedy(capability);
        return Err(about.on(Error::unsupported(capability, operation, &remedy)));
    }
    let own = Pattern::parse(schedule_subjects(&config.name));
    let own = own.map_err(|why| about.error(ErrorKind::InvalidOption, why.to_string()))?;
    match config.subjects.iter().find(|stored| stored.overlaps(&own)) {
        None => Ok(()),
        Some(stored) => Err(about.error(
            ErrorKind::InvalidOption,
            format!("its pattern {stored} overlaps {own}, where its schedules are kept; narrow it"),
        )),
    }
}

/// The configuration as a server can have it.
fn possible(
    context: &NatsContext,
    about: &ErrorContext,
    config: &StreamConfig,
) -> Result<Possible, Error> {
    context
        .check_open(about.operation)
        .map_err(|error| about.on(error))?;
    config
        .check()
        .map_err(|why| about.error(ErrorKind::InvalidOption, why.reason()))?;
    check(about, &config.name)?;
    check_schedules(context, about, config)?;
    let needs_place = config.needs().any(|need| need == Capability::Placement);
    if needs_place && !context.capabilities().has(Capability::Placement) {
        let (capability, operation) = (Capability::Placement, about.operation);
        let remedy = context.remedy(capability);
        return Err(about.on(Error::unsupported(capability, operation, &remedy)));
    }
    let mut wanted = config.clone();
    if config.has_window_of_copies() {
        let is_left = config.mirror.is_some() || context.server().leaves_sources_no_window();
        return Ok(Possible {
            config: wanted,
            window: (!is_left).then_some(LEAST_WINDOW),
        });
    }
    wanted.deduplication.window = window(config);
    if wanted.deduplication.window.is_zero() {
        return Err(about.on(Error::unsupported(
            Capability::DeduplicationOff,
            about.operation,
            &format!("a NATS server has no duplicate window below {LEAST_WINDOW:?}; publish without message ids instead"),
        )));
    }
    if wanted.deduplication.window < LEAST_WINDOW {
        return Err(about.error(
            ErrorKind::InvalidOption,
            format!(
                "its duplicate window is {:?}, and a NATS server has none below {LEAST_WINDOW:?}; make it longer",
                wanted.deduplication.window
            ),
        ));
    }
    Ok(Possible {
        config: wanted,
        window: None,
    })
}
