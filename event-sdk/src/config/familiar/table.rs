//! The rows of the table of familiar names, which docs/configuration.md repeats.

use super::System::{A3sEvent, DelTran, Fraisier, Hodei, JetstreamBridge};
use super::{FamiliarName, Here, System};
use crate::config::Unit;

const fn field(system: System, name: &'static str, here: Here) -> FamiliarName {
    FamiliarName {
        system,
        name,
        is_variable: false,
        here,
    }
}

const fn variable(system: System, name: &'static str, here: Here) -> FamiliarName {
    FamiliarName {
        is_variable: true,
        ..field(system, name, here)
    }
}

const SECONDS: Unit = Unit::Seconds;

/// By system.
pub(super) const TABLE: &[FamiliarName] = &[
    field(A3sEvent, "NatsConfig.url", Here::Setting("nats.url")),
    field(A3sEvent, "NatsConfig.token", Here::Setting("nats.token")),
    field(
        A3sEvent,
        "NatsConfig.credentials_path",
        Here::Setting("nats.credentials_file"),
    ),
    field(
        A3sEvent,
        "NatsConfig.stream_name",
        Here::Code("StreamSpec::new"),
    ),
    field(
        A3sEvent,
        "NatsConfig.subject_prefix",
        Here::Setting("prefix"),
    ),
    field(
        A3sEvent,
        "NatsConfig.storage",
        Here::Code("StreamSpec::storage"),
    ),
    field(
        A3sEvent,
        "NatsConfig.max_events",
        Here::Code("StreamSpec::max_messages"),
    ),
    field(
        A3sEvent,
        "NatsConfig.max_age_secs",
        Here::Code("StreamSpec::max_age"),
    ),
    field(
        A3sEvent,
        "NatsConfig.max_bytes",
        Here::Code("StreamSpec::max_bytes"),
    ),
    field(
        A3sEvent,
        "NatsConfig.connect_timeout_secs",
        Here::DurationIn("nats.connect_timeout", SECONDS),
    ),
    field(
        A3sEvent,
        "NatsConfig.request_timeout_secs",
        Here::DurationIn("nats.request_timeout", SECONDS),
    ),
    field(
        A3sEvent,
        "MemoryConfig.subject_prefix",
        Here::Setting("prefix"),
    ),
    field(
        A3sEvent,
        "MemoryConfig.max_events",
        Here::Setting("memory.max_messages"),
    ),
    field(
        A3sEvent,
        "MemoryConfig.channel_capacity",
        Here::Setting("memory.max_messages"),
    ),
    field(
        A3sEvent,
        "PublishOptions.msg_id",
        Here::Code("Publish::message_id"),
    ),
    field(
        A3sEvent,
        "PublishOptions.expected_sequence",
        Here::Code("Publish::expect_last_sequence"),
    ),
    field(
        A3sEvent,
        "PublishOptions.timeout_secs",
        Here::DurationIn("publish_timeout", SECONDS),
    ),
    field(
        A3sEvent,
        "SubscribeOptions.max_deliver",
        Here::Code("Subscribe::max_deliver"),
    ),
    field(
        A3sEvent,
        "SubscribeOptions.backoff_secs",
        Here::Code("Subscribe::server_backoff"),
    ),
    field(
        A3sEvent,
        "SubscribeOptions.max_ack_pending",
        Here::Code("Subscribe::max_ack_pending"),
    ),
    field(
        A3sEvent,
        "SubscribeOptions.deliver_policy",
        Here::Code("Subscribe::deliver"),
    ),
    field(
        A3sEvent,
        "SubscribeOptions.ack_wait_secs",
        Here::Code("Subscribe::ack_wait"),
    ),
    field(
        DelTran,
        "subjects of a stream",
        Here::Code("StreamSpec::subject"),
    ),
    field(
        DelTran,
        "retention in days, max_age",
        Here::Code("StreamSpec::max_age"),
    ),
    field(DelTran, "max_msgs", Here::Code("StreamSpec::max_messages")),
    field(DelTran, "max_bytes", Here::Code("StreamSpec::max_bytes")),
    field(DelTran, "replicas", Here::Code("StreamSpec::replicas")),
    field(DelTran, "--filter", Here::Code("Subscribe::subject")),
    field(DelTran, "--ack", Here::Code("Subscribe::ack_policy")),
    field(DelTran, "--deliver", Here::Code("Subscribe::deliver")),
    field(
        DelTran,
        "--max-deliver",
        Here::Code("Subscribe::max_deliver"),
    ),
    field(
        DelTran,
        "--wait, ack_wait",
        Here::Code("Subscribe::ack_wait"),
    ),
    field(
        DelTran,
        "max_ack_pending",
        Here::Code("Subscribe::max_ack_pending"),
    ),
    field(DelTran, "max_payload", Here::Setting("max_payload")),
    field(
        DelTran,
        "write_deadline",
        Here::NotTaken("a setting of the server"),
    ),
    variable(Fraisier, "NATS_SERVERS", Here::Setting("nats.url")),
    variable(Fraisier, "NATS_USERNAME", Here::Setting("nats.user")),
    variable(Fraisier, "NATS_PASSWORD", Here::Setting("nats.password")),
    variable(
        Fraisier,
        "NATS_TIMEOUT",
        Here::DurationIn("nats.connect_timeout", SECONDS),
    ),
    variable(
        Fraisier,
        "NATS_MAX_RECONNECT_ATTEMPTS",
        Here::Renamed("nats.max_reconnects", &[("-1", "0")]),
    ),
    variable(
        Fraisier,
        "NATS_RECONNECT_TIME_WAIT",
        Here::DurationIn("nats.reconnect_delay", SECONDS),
    ),
    variable(Fraisier, "NATS_REGION", Here::Setting("region")),
    variable(Fraisier, "DEPLOYMENT_REGIONS", Here::Setting("regions")),
    variable(
        Fraisier,
        "INTER_REGION_TIMEOUT",
        Here::DurationIn("inter_region_timeout", SECONDS),
    ),
    variable(
        Fraisier,
        "NATS_DEPLOYMENT_EVENTS_RETENTION",
        Here::Code("StreamSpec::max_age, with Unit::Hours.read"),
    ),
    variable(
        Fraisier,
        "NATS_HEALTH_EVENTS_RETENTION",
        Here::Code("StreamSpec::max_age, with Unit::Hours.read"),
    ),
    variable(
        Fraisier,
        "NATS_DATABASE_EVENTS_RETENTION",
        Here::Code("StreamSpec::max_age, with Unit::Hours.read"),
    ),
    variable(
        Fraisier,
        "NATS_METRICS_EVENTS_RETENTION",
        Here::Code("StreamSpec::max_age, with Unit::Hours.read"),
    ),
    variable(
        Fraisier,
        "NATS_STREAM_MAX_SIZE",
        Here::Code("StreamSpec::max_bytes"),
    ),
    variable(
        Fraisier,
        "ENABLE_WEBHOOK_NOTIFICATIONS",
        Here::Code("the handlers that the service registers"),
    ),
    variable(
        Fraisier,
        "ENABLE_METRICS_RECORDING",
        Here::Code("the handlers that the service registers"),
    ),
    variable(
        Fraisier,
        "ENABLE_EVENT_LOGGING",
        Here::Code("the handlers that the service registers"),
    ),
    variable(
        Fraisier,
        "FRAISIER_LOG_LEVEL",
        Here::Renamed("log_level", &[("WARNING", "warn"), ("CRITICAL", "error")]),
    ),
    variable(Fraisier, "NATS_TLS_ENABLED", Here::Setting("nats.tls")),
    variable(
        Fraisier,
        "NATS_TLS_CERT_FILE",
        Here::Setting("nats.client_certificate_file"),
    ),
    variable(
        Fraisier,
        "NATS_TLS_KEY_FILE",
        Here::Setting("nats.client_key_file"),
    ),
    variable(Fraisier, "NATS_NKey_SEED", Here::Setting("nats.nkey")),
    variable(
        Hodei,
        "HODEI_EVENT_BUS_TYPE",
        Here::Renamed(
            "transport",
            &[
                ("inmemory", "memory"),
                ("in-memory", "memory"),
                ("in_memory", "memory"),
                ("jetstream", "nats"),
            ],
        ),
    ),
    variable(
        Hodei,
        "HODEI_EVENT_BUS_CAPACITY",
        Here::Setting("memory.max_messages"),
    ),
    variable(Hodei, "HODEI_NATS_URL", Here::Setting("nats.url")),
    variable(
        Hodei,
        "HODEI_NATS_TIMEOUT_MS",
        Here::DurationIn("nats.connect_timeout", Unit::Milliseconds),
    ),
    field(
        Hodei,
        "NatsBusConfig.stream_name",
        Here::Code("StreamSpec::new"),
    ),
    field(
        Hodei,
        "NatsBusConfig.subject_prefix",
        Here::Setting("prefix"),
    ),
    field(
        Hodei,
        "NatsBusConfig.max_messages",
        Here::Code("StreamSpec::max_messages"),
    ),
    field(
        Hodei,
        "NatsBusConfig.connection_timeout_ms",
        Here::DurationIn("nats.connect_timeout", Unit::Milliseconds),
    ),
    variable(JetstreamBridge, "NATS_URLS", Here::Setting("nats.url")),
    variable(JetstreamBridge, "RAILS_ENV", Here::Setting("environment")),
    variable(JetstreamBridge, "APP_NAME", Here::Setting("application")),
    variable(
        JetstreamBridge,
        "DESTINATION_APP",
        Here::Setting("destination"),
    ),
    field(
        JetstreamBridge,
        "config.nats_urls",
        Here::Setting("nats.url"),
    ),
    field(
        JetstreamBridge,
        "config.connect_retry_attempts",
        Here::NotTaken(
            "there is no number of attempts; `nats.connect_within` sets the total time instead, such as `6s` for 3 attempts at 2 s",
        ),
    ),
    field(
        JetstreamBridge,
        "config.connect_retry_delay",
        Here::DurationIn("nats.reconnect_delay", SECONDS),
    ),
    field(JetstreamBridge, "config.env", Here::Setting("environment")),
    field(
        JetstreamBridge,
        "config.app_name",
        Here::Setting("application"),
    ),
    field(
        JetstreamBridge,
        "config.destination_app",
        Here::Setting("destination"),
    ),
    field(
        JetstreamBridge,
        "config.stream_name",
        Here::Code("StreamSpec::new"),
    ),
    field(
        JetstreamBridge,
        "config.durable_name",
        Here::Code("Subscribe::durable"),
    ),
    field(
        JetstreamBridge,
        "config.inbox_prefix",
        Here::Setting("nats.inbox_prefix"),
    ),
    field(
        JetstreamBridge,
        "config.disable_js_api",
        Here::Renamed(
            "nats.management",
            &[("true", "never"), ("false", "allowed")],
        ),
    ),
    field(
        JetstreamBridge,
        "config.use_outbox",
        Here::Code("Outbox of event-sdk-sql"),
    ),
    field(
        JetstreamBridge,
        "config.use_inbox",
        Here::Code("Inbox of event-sdk-sql"),
    ),
    field(
        JetstreamBridge,
        "config.use_dlq",
        Here::Code("Consumer::dead_letters"),
    ),
    field(
        JetstreamBridge,
        "config.batch_size",
        Here::Code("Consumer::prefetch, Consumer::on_batches"),
    ),
    field(
        JetstreamBridge,
        "config.max_deliver",
        Here::Code("Retry::max_attempts"),
    ),
    field(
        JetstreamBridge,
        "config.ack_wait",
        Here::Code("Consumer::ack_wait"),
    ),
    field(
        JetstreamBridge,
        "config.backoff",
        Here::Code("Retry::steps"),
    ),
];
