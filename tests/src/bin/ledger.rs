//! A process of the service of the ledger, for `tests/consumers/ledger.rs`, which starts several,
//! kills and stops them, and reads what they wrote.
//!
//! Its arguments are the addresses of the servers, the form, and the file of its journal.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::consumer::{Ctx, Failure, Outcome, shutdown_signal};
use event_sdk::dead_letters::DeadLetters;
use event_sdk::transport::nats::Nats;
use event_sdk_tests::ledger::journal::{Journal, What};
use event_sdk_tests::ledger::{
    ACK_WAIT, Booked, CONSUMER, Fate, Form, HANDLER_TIMEOUT, TERM, builder, letters, retry,
};

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    // Planted panics are no news.
    std::panic::set_hook(Box::new(|_| {}));
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [url, form, file] = &arguments[..] else {
        return Err("three arguments: addresses, form, file".into());
    };
    let form = Form::from_argument(form).ok_or("no form")?;
    let journal = Arc::new(Journal::open(Path::new(file))?);
    let options = Nats::options(url.as_str()).request_timeout(Duration::from_secs(2));
    let bus = builder().transport(Nats::connect(options).await?)?;
    let consumer = bus
        .consumer::<Booked>(CONSUMER)
        .ordered_by_key()
        .concurrency(32)
        .ack_wait(ACK_WAIT)
        .handler_timeout(HANDLER_TIMEOUT)
        .retry(retry())
        .dead_letters(DeadLetters::stream(letters()))
        .drain_within(Duration::from_secs(10))
        .on_with(journal, handle);
    let consumer = match form {
        Form::SingleActive => consumer.single_active_for(TERM),
        Form::Partitions(number) => consumer.partitions_for(number, TERM),
    };
    let report = consumer.run_until(shutdown_signal()).await?;
    bus.drain(Duration::from_secs(5)).await?;
    println!("ended {report}");
    Ok(())
}

async fn handle(journal: Arc<Journal>, event: Booked, ctx: Ctx) -> Outcome {
    let mut run = Run {
        journal,
        sequence: ctx.sequence().unwrap_or_default(),
        key: event.account,
        end: What::Dropped,
    };
    run.journal
        .write(What::Started, run.sequence, run.key)
        .map_err(Failure::retry)?;
    tokio::time::sleep(Duration::from_millis(u64::from(event.account % 3))).await;
    let first = ctx.attempt() == 1;
    match event.fate {
        Fate::AlwaysFails => {
            run.end = What::Failed;
            Err(Failure::retry("it always fails"))
        }
        Fate::Rejects => {
            run.end = What::Failed;
            Err(Failure::reject("it never succeeds"))
        }
        Fate::FailsOnce if first => {
            run.end = What::Failed;
            Err(Failure::retry("not at first"))
        }
        Fate::PanicsOnce if first => {
            run.end = What::Failed;
            panic!("planted")
        }
        Fate::HangsOnce if first => std::future::pending().await,
        _ => {
            run.end = What::Completed;
            Ok(())
        }
    }
}

/// Writes the end of a handler, however it ends.
struct Run {
    journal: Arc<Journal>,
    sequence: u64,
    key: u32,
    end: What,
}

impl Drop for Run {
    fn drop(&mut self) {
        let written = self.journal.write(self.end, self.sequence, self.key);
        if let Err(error) = written {
            println!("error {error}");
        }
    }
}
