//! The rows of the table of settings.

use super::{Setting, secret, setting};

/// Every setting. A new one needs a row in `event-sdk/tests/configuration/reach.rs`, which shows that it
/// has an effect, and in the table of docs/configuration.md.
pub(super) const TABLE: &[Setting] = &[
    setting(
        "preset",
        "Defaults for a kind of deployment.",
        "production",
        |c| &mut c.preset,
    ),
    setting(
        "transport",
        "Where events go. There is no default: a bus is not made before it is set.",
        "nats",
        |c| &mut c.transport,
    ),
    setting(
        "application",
        "The name of this service: the `source` of its events, and the default of `nats.name`. By default the file name of the program is the `source`.",
        "billing",
        |c| &mut c.application,
    ),
    setting(
        "environment",
        "The environment, for `{environment}` in `prefix`.",
        "production",
        |c| &mut c.environment,
    ),
    setting(
        "destination",
        "The application at the other end, for `{destination}` in `prefix`.",
        "worker",
        |c| &mut c.destination,
    ),
    setting(
        "prefix",
        "The prefix of all subjects; `{environment}`, `{application}`, `{destination}` and `{region}` stand for these settings. Default: the prefix that the code sets on the builder, or `events` if it sets none.",
        "shop.events",
        |c| &mut c.prefix,
    ),
    setting(
        "region",
        "The region of this service, which its events have as the metadata `region`.",
        "us-east-1",
        |c| &mut c.region,
    ),
    setting(
        "regions",
        "All regions. `region` must be one of them.",
        "us-east-1,eu-west-1",
        |c| &mut c.regions,
    ),
    setting(
        "inter_region_timeout",
        "With several `regions`, `publish_timeout`, `nats.ack_timeout` and `nats.request_timeout` are at least this long, since the leader of a stream may be in another region.",
        "45s",
        |c| &mut c.inter_region_timeout,
    ),
    setting(
        "publish_timeout",
        "How long a publish may take until it is confirmed. Default: the time that the code sets on the builder, or 5 s if it sets none.",
        "7s",
        |c| &mut c.publish_timeout,
    ),
    setting(
        "max_payload",
        "Maximum size of a body, for publishing and decoding. Default: the size that the code sets on the builder, or 8 MiB if it sets none.",
        "1MiB",
        |c| &mut c.max_payload,
    ),
    setting(
        "log_level",
        "The lowest level of event-sdk's messages that `Config::log_filter` lets through; the program gives this filter to its `tracing` subscriber.",
        "debug",
        |c| &mut c.log_level,
    ),
    setting(
        "memory.max_messages",
        "The maximum number of messages in a stream whose declaration sets no such limit. Without this setting, the stream that stores all events if no stream is declared keeps 100,000.",
        "20000",
        |c| &mut c.memory.max_messages,
    ),
    setting(
        "memory.max_payload",
        "Maximum size of a message, headers and body. By default 1 MiB.",
        "2MiB",
        |c| &mut c.memory.max_payload,
    ),
    setting(
        "memory.hand_over",
        "Whether values are passed to subscribers without encoding.",
        "true",
        |c| &mut c.memory.hand_over,
    ),
    secret(
        "nats.url",
        "The URLs of the servers, with commas between them. Needed for `nats`.",
        "nats://one.example:4222,nats://two.example:4222",
        |c| &mut c.nats.url,
    ),
    setting(
        "nats.only_given_servers",
        "Whether to connect only to the given servers, not to others that the cluster announces.",
        "true",
        |c| &mut c.nats.only_given_servers,
    ),
    setting("nats.user", "The name of the user.", "billing", |c| {
        &mut c.nats.user
    }),
    secret("nats.password", "The user's password.", "sesame", |c| {
        &mut c.nats.password
    }),
    setting(
        "nats.password_file",
        "The file with the user's password, read at each connect and reconnect.",
        "/run/secrets/nats-password",
        |c| &mut c.nats.password_file,
    ),
    secret("nats.token", "A token.", "sesame", |c| &mut c.nats.token),
    setting(
        "nats.token_file",
        "The file with a token, read at each connect and reconnect.",
        "/run/secrets/nats-token",
        |c| &mut c.nats.token_file,
    ),
    secret("nats.nkey", "The seed of an NKey.", "SUAXXX...", |c| {
        &mut c.nats.nkey
    }),
    setting(
        "nats.nkey_file",
        "The file with the seed of an NKey, read at each connect and reconnect.",
        "/run/secrets/nats.nk",
        |c| &mut c.nats.nkey_file,
    ),
    secret(
        "nats.credentials",
        "The text of a credentials file.",
        "-----BEGIN NATS USER JWT-----",
        |c| &mut c.nats.credentials,
    ),
    setting(
        "nats.credentials_file",
        "A credentials file as `nsc` writes it, read at each connect and reconnect.",
        "/run/secrets/billing.creds",
        |c| &mut c.nats.credentials_file,
    ),
    setting(
        "nats.tls",
        "Whether TLS is required. A `tls://` URL, and each of the following settings about TLS, requires it too.",
        "true",
        |c| &mut c.nats.tls,
    ),
    setting(
        "nats.tls_first",
        "Whether the TLS handshake comes first, for servers with `handshake_first`.",
        "true",
        |c| &mut c.nats.tls_first,
    ),
    setting(
        "nats.ca_file",
        "Files with trusted certificate authorities (PEM). By default those of the operating system.",
        "/etc/nats/ca.pem",
        |c| &mut c.nats.ca_file,
    ),
    setting(
        "nats.client_certificate_file",
        "The client certificate, a chain in PEM, read at each connect and reconnect.",
        "/etc/nats/client.pem",
        |c| &mut c.nats.client_certificate_file,
    ),
    setting(
        "nats.client_key_file",
        "The key of the client certificate, in PEM, read at each connect and reconnect.",
        "/etc/nats/client.key",
        |c| &mut c.nats.client_key_file,
    ),
    setting(
        "nats.name",
        "The name of the connection, which the server shows. By default `application`.",
        "billing-1",
        |c| &mut c.nats.name,
    ),
    setting(
        "nats.inbox_prefix",
        "The prefix of inboxes. By default `_INBOX`.",
        "_INBOX_billing",
        |c| &mut c.nats.inbox_prefix,
    ),
    setting(
        "nats.domain",
        "The JetStream domain of the streams.",
        "hub",
        |c| &mut c.nats.domain,
    ),
    setting(
        "nats.api_prefix",
        "The prefix of the JetStream API, if it is imported from another account. By default `$JS.API`.",
        "$JS.hub.API",
        |c| &mut c.nats.api_prefix,
    ),
    setting(
        "nats.management",
        "Whether the transport may use the JetStream API to inspect and change streams and consumers.",
        "never",
        |c| &mut c.nats.management,
    ),
    setting(
        "nats.connect_timeout",
        "Timeout of one connection attempt to one server.",
        "3s",
        |c| &mut c.nats.connect_timeout,
    ),
    setting(
        "nats.connect_within",
        "How long the first connection is retried; `0s` for no retries.",
        "30s",
        |c| &mut c.nats.connect_within,
    ),
    setting(
        "nats.request_timeout",
        "Timeout of a request to the server.",
        "8s",
        |c| &mut c.nats.request_timeout,
    ),
    setting(
        "nats.ping_interval",
        "Interval of pings; the connection counts as lost after two unanswered ones.",
        "20s",
        |c| &mut c.nats.ping_interval,
    ),
    setting(
        "nats.reconnect_delay",
        "The first wait between reconnect rounds, doubled after each.",
        "2s",
        |c| &mut c.nats.reconnect_delay,
    ),
    setting(
        "nats.reconnect_delay_max",
        "The longest wait between reconnect rounds.",
        "30s",
        |c| &mut c.nats.reconnect_delay_max,
    ),
    setting(
        "nats.max_reconnects",
        "After how many consecutive failed reconnect attempts the transport is closed; `0` for never.",
        "60",
        |c| &mut c.nats.max_reconnects,
    ),
    setting(
        "nats.max_in_flight",
        "Maximum number of publishes that are sent and not yet confirmed.",
        "4096",
        |c| &mut c.nats.max_in_flight,
    ),
    setting(
        "nats.ack_timeout",
        "Maximum wait for the confirmation of a publish.",
        "15s",
        |c| &mut c.nats.ack_timeout,
    ),
    setting(
        "nats.connection_wait",
        "How long a publish waits while the connection is lost.",
        "2s",
        |c| &mut c.nats.connection_wait,
    ),
    setting(
        "nats.inactive_threshold",
        "After how long the server deletes a group or ephemeral consumer that nothing uses.",
        "10m",
        |c| &mut c.nats.inactive_threshold,
    ),
    setting(
        "nats.max_pull_bytes",
        "The maximum number of bytes that a subscription which prefetches more than one message has requested and not yet received.",
        "4MiB",
        |c| &mut c.nats.max_pull_bytes,
    ),
];
