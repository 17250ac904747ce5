//! The built-in handler `log`: prints a line for each event.

use event_sdk::consumer::{Consumer, Ctx, Retry};
use event_sdk::text::Text;
use event_sdk::{EventBus, RawEvent};

use crate::events::Everything;

pub(crate) fn consumer(bus: &EventBus, name: impl Into<Text>) -> Consumer<Everything> {
    bus.consumer(name)
        .otherwise(|_: RawEvent, ctx: Ctx| {
            println!("{}", line(&ctx));
            std::future::ready(Ok(()))
        })
        .retry(Retry::none())
}

/// `log: eu deployment.failed of 205`
fn line(ctx: &Ctx) -> String {
    let head = ctx.envelope();
    let region = head.metadata.get("region").unwrap_or("none");
    let deployment = ctx.message().key().unwrap_or_default();
    format!(
        "{}: {region} {} of {deployment}",
        ctx.consumer(),
        head.event_type
    )
}
