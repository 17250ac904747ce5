//! A process that writes events to an outbox on SQLite and relays them, beside others on the same file. Its
//! arguments are the file and a number of milliseconds; it prints how many transactions it has committed.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use event_sdk::stream::StreamSpec;
use event_sdk::{Event, EventBus};
use event_sdk_sql::{Outbox, Sqlite};
use event_sdk_test_stores::sqlite_pool;
use serde::{Deserialize, Serialize};

/// How long each transaction holds the database.
const HOLDS: Duration = Duration::from_millis(10);

/// A line was written.
#[derive(Event, Serialize, Deserialize)]
#[event(domain = "lines")]
struct LineWritten {
    n: u64,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let file = PathBuf::from(words.next().ok_or("the first argument is a file")?);
    let time = words.next().ok_or("the second argument is a time")?;
    let time = Duration::from_millis(time.parse()?);
    let stream = StreamSpec::new("LINES").subject("lines.>");
    let bus = EventBus::builder().stream(stream).memory()?;
    let outbox = Outbox::<Sqlite>::new(sqlite_pool(&file).await?, bus);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let relay = tokio::spawn(outbox.relay().run_until(async {
        drop(stopped.await);
    }));
    // All begin together.
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let (begun, mut commits) = (Instant::now(), 0_u64);
    while begun.elapsed() < time {
        let mut tx = outbox.begin().await?;
        tx.publish(LineWritten { n: commits }).await?;
        tokio::time::sleep(HOLDS).await;
        tx.commit().await?;
        commits += 1;
    }
    println!("{commits}");
    drop(stop);
    relay.await??;
    Ok(())
}
