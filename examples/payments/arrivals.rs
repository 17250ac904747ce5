//! Notes every delivery of every event, so that repeated ones can be counted at the end.
//!
//! Only for the table of this example: it costs a transaction of its own for each delivery.

use std::sync::Arc;

use event_sdk::consumer::{Ctx, Failure, Handle, Inbox, Outcome};
use event_sdk_sql::class_of;
use sqlx::Pool;

use crate::database::{self, Db};

pub(crate) const TABLES: &str = "create table if not exists arrivals (event text not null);
     create table if not exists published (event text not null)";

/// Notes a delivery.
pub(crate) async fn note<D: Db>(pool: &Pool<D>, event: &str) -> sqlx::Result<()> {
    let insert = "insert into arrivals (event) values ($1)";
    database::execute(pool, insert, &[event.into()]).await
}

/// A handler whose deliveries are noted.
pub(crate) struct Noted<H, D: Db> {
    pub(crate) handler: H,
    pub(crate) pool: Pool<D>,
}

impl<E: Send + 'static, H: Handle<E>, D: Db> Handle<E> for Noted<H, D> {
    async fn handle(&self, event: E, ctx: &Ctx) -> Outcome {
        let id = ctx.envelope().event_id.to_string();
        let noted = note(&self.pool, &id).await;
        noted.map_err(|error| Failure::from(error).classified_by(class_of))?;
        self.handler.handle(event, ctx).await
    }

    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        self.handler.inbox()
    }
}
