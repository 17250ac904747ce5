//! `begin`: begins a transaction, and leaves none open if it is dropped meanwhile.
//!
//! If sqlx 0.9 is dropped while the server has a `BEGIN`, it gives the connection back to the pool with
//! the transaction open: `PgTransactionManager::begin` counts a transaction only after the answer, and the
//! rollback of an uncounted one does nothing. What is then executed on that connection, by whomever the
//! pool belongs to, would never be committed. So a task finishes what was dropped, and rolls it back.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use sqlx::{Pool, Postgres, SqlSafeStr, SqlStr, Transaction};
use tokio::runtime::Handle;

type Begun = Result<Transaction<'static, Postgres>, sqlx::Error>;

/// Begins a transaction by `BEGIN`.
pub(super) async fn begin(pool: &Pool<Postgres>) -> Begun {
    begin_by(pool, None).await
}

/// Begins a transaction by this statement.
pub(super) async fn begin_with(pool: &Pool<Postgres>, statement: impl SqlSafeStr) -> Begun {
    begin_by(pool, Some(statement.into_sql_str())).await
}

async fn begin_by(pool: &Pool<Postgres>, statement: Option<SqlStr>) -> Begun {
    // A dropped acquire leaves nothing behind.
    let connection = pool.acquire().await?;
    let begin = Begin {
        beginning: Some(Transaction::begin(connection, statement)),
        runtime: Handle::try_current().ok(),
    };
    begin.await
}

/// A `BEGIN` whose answer may be on its way.
struct Begin {
    /// `None` after the answer.
    beginning: Option<Pin<Box<dyn Future<Output = Begun> + Send>>>,
    /// The runtime of the connection. Where this is dropped, there may be none.
    runtime: Option<Handle>,
}

impl Future for Begin {
    type Output = Begun;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Begun> {
        let Some(beginning) = &mut self.beginning else {
            return Poll::Pending;
        };
        let begun = ready!(beginning.as_mut().poll(cx));
        self.beginning = None;
        Poll::Ready(begun)
    }
}

impl Drop for Begin {
    fn drop(&mut self) {
        if let Some(beginning) = self.beginning.take()
            && let Some(runtime) = &self.runtime
        {
            // If the runtime has ended, sqlx gives the connection back at once, and needs it for that.
            let _entered = runtime.enter();
            runtime.spawn(async move { drop(beginning.await) });
        }
    }
}
