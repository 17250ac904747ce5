//! Looks at what a stream has dropped, and how far a consumer is.

use serde::Deserialize;
use serde_json::json;

use super::super::ack_context::AckContext;
use super::super::bind::{self, Delivered};
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{Error, Operation};

/// The most messages missing from the middle of a stream whose sequences are asked for:
/// a server writes each of them into its answer.
pub(super) const MOST_DETAILS: u64 = 10_000;

/// What a stream has and has not any more.
#[derive(Debug, Clone, Default)]
pub(super) struct StreamLook {
    pub(super) first: u64,
    pub(super) last: u64,
    /// How many messages are missing between the first and the last.
    pub(super) deleted: u64,
    /// Their sequences, if they were asked for and are few enough.
    pub(super) details: Option<Vec<u64>>,
    pub(super) rules: StreamRules,
}

/// The settings of a stream that say what a missing message means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StreamRules {
    /// The subjects that it stores; none if others than its own publishers decide that.
    pub(super) subjects: Option<Vec<Pattern>>,
    /// Whether messages are kept until a limit drops them, whoever has acknowledged them.
    pub(super) keeps_read: bool,
    /// Whether it drops from the middle, to keep a number of each subject.
    pub(super) per_subject: bool,
    /// Whether sequences may be missing that no limit has dropped: a mirror may have taken over some of
    /// another stream and not all, and a server removes a schedule when it fires.
    pub(super) skips: bool,
    /// How many servers have a copy of it; some may be behind.
    pub(super) copies: u64,
}

/// The answer to `STREAM.INFO` (nats-server, `StreamInfo`).
#[derive(Deserialize)]
struct Info {
    config: Config,
    state: State,
}

#[derive(Deserialize)]
#[serde(default)]
struct Config {
    subjects: Option<Vec<String>>,
    retention: String,
    max_msgs_per_subject: i64,
    mirror: Option<serde_json::Value>,
    sources: Option<Vec<serde_json::Value>>,
    subject_transform: Option<serde_json::Value>,
    allow_msg_schedules: bool,
    num_replicas: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            subjects: None,
            retention: "limits".to_owned(),
            max_msgs_per_subject: -1,
            mirror: None,
            sources: None,
            subject_transform: None,
            allow_msg_schedules: false,
            num_replicas: 1,
        }
    }
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    first_seq: u64,
    #[serde(default)]
    last_seq: u64,
    #[serde(default)]
    num_deleted: u64,
    #[serde(default)]
    deleted: Option<Vec<u64>>,
}

impl Config {
    fn rules(&self) -> StreamRules {
        let own_subjects = self.mirror.is_none()
            && self.subject_transform.is_none()
            && self.sources.as_ref().is_none_or(Vec::is_empty);
        let subjects = self.subjects.as_ref().filter(|_| own_subjects);
        StreamRules {
            subjects: subjects.and_then(|subjects| {
                let parsed = subjects.iter().map(|text| Pattern::parse(text.clone()));
                parsed.collect::<Result<_, _>>().ok()
            }),
            keeps_read: self.retention == "limits" && !self.allow_msg_schedules,
            per_subject: self.max_msgs_per_subject > 0,
            skips: self.mirror.is_some() || self.allow_msg_schedules,
            copies: self.num_replicas,
        }
    }
}

/// Looks at the stream; at the sequences that are missing from its middle only where
/// there may be some above `details_above`.
pub(super) async fn stream(
    ack_context: &AckContext,
    details_above: Option<u64>,
) -> Result<StreamLook, Error> {
    let mut info = ask(ack_context, false).await?;
    let wanted = details_above.is_some_and(|above| info.state.last_seq > above);
    if wanted && (1..=MOST_DETAILS).contains(&info.state.num_deleted) {
        info = ask(ack_context, true).await?;
    }
    let details = match info.state.num_deleted {
        0 => Some(Vec::new()),
        _ => info.state.deleted,
    };
    Ok(StreamLook {
        // A stream that never had a message says zero.
        first: info.state.first_seq.max(1),
        last: info.state.last_seq,
        deleted: info.state.num_deleted,
        details,
        rules: info.config.rules(),
    })
}

async fn ask(ack_context: &AckContext, details: bool) -> Result<Info, Error> {
    let about = ack_context.about(Operation::Subscribe);
    let call = format!("STREAM.INFO.{}", ack_context.stream);
    let request = if details {
        json!({ "deleted_details": true })
    } else {
        json!({})
    };
    ack_context.context.request(&about, &call, &request).await
}

/// How far a consumer is.
#[derive(Debug, Clone)]
pub(super) struct ConsumerLook {
    pub(super) delivered: Delivered,
    /// Its filters; `None` if they cannot be read.
    pub(super) filters: Option<Vec<Pattern>>,
    /// The sequence up to which everything is settled, or gone.
    pub(super) settled_to: u64,
    /// How many messages it has still to deliver for the first time.
    pub(super) pending: u64,
}

/// Looks how far the consumer is; `None` where there is none.
pub(super) async fn consumer(
    ack_context: &AckContext,
    name: &str,
) -> Result<Option<ConsumerLook>, Error> {
    let about = ack_context.about(Operation::Subscribe);
    let stream = &ack_context.stream;
    let info = bind::info(&ack_context.context, stream, name, &about).await?;
    Ok(info.ok().map(|info| {
        ack_context.learn_redelivers(info.redelivers());
        ConsumerLook {
            delivered: info.delivered,
            filters: info.filters(),
            settled_to: info.ack_floor.at.stream_seq,
            pending: info.num_pending,
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(config: &str) -> StreamRules {
        serde_json::from_str::<Config>(config).unwrap().rules()
    }

    #[test]
    fn subjects_count_only_where_publishers_alone_fill_the_stream() {
        let own = rules(r#"{"subjects":["a.>","b"],"retention":"limits"}"#);
        let subjects = own.subjects.unwrap();
        assert_eq!(subjects.len(), 2);
        assert!(own.keeps_read && !own.per_subject && !own.skips);
        let schedules = rules(r#"{"allow_msg_schedules":true}"#);
        assert!(schedules.skips && !schedules.keeps_read);
        for config in [
            r#"{"mirror":{"name":"S"}}"#,
            r#"{"subjects":["a"],"sources":[{"name":"S"}]}"#,
            r#"{"subjects":["a"],"subject_transform":{"src":"a","dest":"b"}}"#,
        ] {
            assert_eq!(rules(config).subjects, None, "{config}");
        }
        assert!(rules(r#"{"mirror":{"name":"S"}}"#).skips);
    }

    #[test]
    fn retention_and_limits_are_read_as_a_server_writes_them() {
        let rules = rules(r#"{"retention":"workqueue","max_msgs_per_subject":5}"#);
        assert!(!rules.keeps_read && rules.per_subject);
    }
}
