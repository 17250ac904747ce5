//! Notes every delivery of every event, so that repeated ones can be counted at the end.
//!
//! Only for the table of this example: it costs a transaction of its own for each delivery.

use std::sync::Arc;

use event_sdk::consumer::{Ctx, Failure, Handle, Inbox, Outcome};
use event_sdk_sql::class_of;
use sqlx::Pool;

use crate::database::Db;

pub(crate) const TABLES: &str = "create table if not exists arrivals (event text not null);
     create table if not exists published (event text not null)";

/// Notes a delivery.
pub(crate) async fn note(pool: &Pool<Db>, event: &str) -> sqlx::Result<()> {
    let insert = sqlx::query("insert into arrivals (event) values ($1)").bind(event);
    insert.execute(pool).await.map(drop)
}

/// A handler whose deliveries are noted.
pub(crate) struct Noted<H> {
    pub(crate) handler: H,
    pub(crate) pool: Pool<Db>,
}

impl<E: Send + 'static, H: Handle<E>> Handle<E> for Noted<H> {
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
