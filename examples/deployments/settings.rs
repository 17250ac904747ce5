//! The settings of the program: arguments and environment variables. Those of the bus are `EVENT_SDK_…`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use event_sdk::consumer::Filter;

/// Deploys services in three regions, and handles the events of the deployments.
#[derive(Debug, Parser)]
#[command(name = "deployments")]
pub(crate) struct Settings {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The built-in handlers that run, with commas between them.
    #[arg(
        long,
        value_delimiter = ',',
        env = "OPS_HANDLERS",
        default_value = "webhook,metrics"
    )]
    pub(crate) handlers: Vec<Handler>,

    /// How many deployments each region makes.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "OPS_DEPLOYMENTS",
        default_value_t = 10
    )]
    pub(crate) deployments: u32,

    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// One step alone; both if none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// The deployment step: makes streams, durables and the bucket.
    Apply,
    /// Deploys services and handles the events, on what is there.
    Run,
    /// Prints the least permissions of the users of both steps, as configuration of nats-server.
    Permissions,
}

/// A built-in handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Handler {
    Webhook,
    Metrics,
    Log,
}

/// Which events the built-in handlers handle.
#[derive(Debug, Default, Args)]
pub(crate) struct Selection {
    /// Only events of this region.
    #[arg(long, value_name = "NAME", env = "OPS_REGION", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) region: Option<String>,

    /// Only events of this type; `*` stands for any text.
    #[arg(long = "type", value_name = "PATTERN", env = "OPS_TYPE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) event_type: Option<String>,

    /// Only events of this deployed service.
    #[arg(long, value_name = "NAME", env = "OPS_SERVICE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) service: Option<String>,

    /// Only events of this deployment.
    #[arg(long, value_name = "NUMBER", env = "OPS_DEPLOYMENT")]
    pub(crate) deployment: Option<u32>,

    /// Only events with all of these tags, with commas between them.
    #[arg(
        long = "tag",
        value_name = "TAG",
        value_delimiter = ',',
        env = "OPS_TAGS",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub(crate) tags: Vec<String>,
}

impl Selection {
    pub(crate) fn filter(&self) -> Filter {
        let region = self.region.clone().map(Filter::region);
        let event_type = self.event_type.clone().map(Filter::event_type);
        let metadata = |name: &'static str| move |value: String| Filter::metadata(name, value);
        let service = self.service.clone().map(metadata("service"));
        let deployment = self.deployment.map(|id| id.to_string());
        let deployment = deployment.map(metadata("key"));
        let one = [region, event_type, service, deployment];
        let tags = self.tags.iter().cloned().map(Filter::tag);
        Filter::all(one.into_iter().flatten().chain(tags))
    }
}
