//! The log of event-sdk on standard error, from the level of `EVENT_SDK_LOG_LEVEL` on. Several programs include this
//! file.

use std::io;

use event_sdk::config::Config;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

/// Installs the subscriber. Without a configured level, nothing is shown.
///
/// # Errors
///
/// When the program has a subscriber already.
pub(crate) fn install(config: &Config) -> anyhow::Result<()> {
    let Some(filter) = config.log_filter() else {
        return Ok(());
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let shown = tracing_subscriber::registry().with(filter.parse::<Targets>()?);
    tracing::subscriber::set_global_default(shown.with(lines))?;
    Ok(())
}
