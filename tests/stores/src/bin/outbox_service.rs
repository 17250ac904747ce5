//! A process of a service with outbox and inbox, which the tests in `tests/processes/` kill and stop. Its
//! arguments are those of [`Arguments`]; it ends with its standard input.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Failure, Handle, HandleBatch, Retry, shutdown_signal};
use event_sdk::dead_letters::DeadLetters;
use event_sdk::transport::nats::Nats;
use event_sdk_sql::{EffectOf, EffectTx, Inbox, Outbox};
use event_sdk_store::Relay;
use event_sdk_test_stores::service::{
    ACK_WAIT, AckSteps, Arguments, BillWritten, CONSUMER, ConsumerSteps, HandlerWithSteps, LEASE,
    LettersIn, LettersWithSteps, OrderPlaced, PUBLISH_TIMEOUT, Role, ServiceDatabase, Step, Steps,
    StoreWithSteps, builder, letters, refuses,
};
use event_sdk_testing::intercept::Intercepted;
use sqlx::{Pool, Postgres, Sqlite};
use uuid::Uuid;

/// The time between two orders.
const PACE: Duration = Duration::from_millis(8);

/// How often a row or an event is tried: processes that are killed again and again, and a machine that
/// is loaded, are no reason to give it up.
const ATTEMPTS: u32 = 1_000;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let ended = match Arguments::from_words(&words) {
        Ok(arguments) if arguments.database.starts_with("sqlite:") => {
            run::<Sqlite>(arguments).await
        }
        Ok(arguments) => run::<Postgres>(arguments).await,
        Err(why) => Err(why.into()),
    };
    match ended {
        Ok(line) => println!("{line}"),
        Err(error) => println!("error: {error}"),
    }
}

async fn run<DB: ServiceDatabase>(arguments: Arguments) -> Result<String, Box<dyn Error>> {
    let steps = Steps::new(arguments.stop_at);
    steps.listen();
    let acks = ConsumerSteps::new(&steps);
    let nats = Nats::connect(Nats::options(&arguments.server)).await?;
    let bus = builder().transport(Intercepted::new(nats, AckSteps::new(&acks)))?;
    let pool = DB::connect(&arguments.database).await?;
    match arguments.role {
        Role::Write => write(&Outbox::<DB>::new(pool, bus), &steps).await,
        Role::Relay => relay(&Outbox::<DB>::new(pool, bus), &steps).await,
        Role::Handle => handle::<DB>(bus, pool, &arguments, &steps, &acks).await,
    }
}

/// Writes orders in transactions of their own, until it is told to end.
async fn write<DB: ServiceDatabase>(
    outbox: &Outbox<DB>,
    steps: &Steps,
) -> Result<String, Box<dyn Error>> {
    let mut stop = pin!(shutdown_signal());
    let last = "select coalesce(max(number), 0) from orders".to_owned();
    let mut number = DB::number(&mut *outbox.pool().acquire().await?, last).await?;
    loop {
        number += 1;
        let customer = number % 7;
        let mut tx = outbox.begin().await?;
        let enqueued = tx.publish(OrderPlaced { customer, number }).await?;
        let event = DB::id(enqueued.message_id().parse::<Uuid>()?);
        let insert = format!("insert into orders (number, event_id) values ({number}, {event})");
        DB::execute(&mut tx, insert).await?;
        steps.reached(Step::BeforeCommit, number).await;
        tx.commit().await?;
        steps.reached(Step::AfterCommit, number).await;
        tokio::select! {
            () = &mut stop => return Ok(format!("wrote {number}")),
            () = tokio::time::sleep(PACE) => {}
        }
    }
}

/// Publishes the rows of the outbox, until it is told to end.
async fn relay<DB: ServiceDatabase>(
    outbox: &Outbox<DB>,
    steps: &Steps,
) -> Result<String, Box<dyn Error>> {
    let store = StoreWithSteps::new(Arc::clone(outbox.store()), steps.clone());
    let retry = Retry::steps([Duration::from_millis(50)]).max_attempts(ATTEMPTS);
    let relay = Relay::new(Arc::new(store), outbox.bus().clone(), outbox.wake().clone())
        .lease(LEASE)
        .publish_timeout(PUBLISH_TIMEOUT)
        .retry(retry);
    let report = relay.run_until(shutdown_signal()).await?;
    Ok(format!("{report:?}"))
}

/// Writes a bill for each order, and its event.
struct Billing {
    process: i64,
    steps: Steps,
}

impl<DB: ServiceDatabase> EffectOf<OrderPlaced, DB> for Billing {
    async fn apply(&self, order: OrderPlaced, tx: &mut EffectTx<DB>) -> Result<(), Failure> {
        let OrderPlaced { customer, number } = order;
        let event = tx.ctx().envelope().event_id;
        let id = DB::id(event);
        let insert = format!("insert into effects (event_id, number) values ({id}, {number})");
        DB::execute(tx, insert).await?;
        tx.publish(BillWritten { customer, number }).await?;
        self.steps.reached(Step::EffectWritten, event).await;
        if refuses(self.process, number) {
            return Err(Failure::reject("this process refuses the order"));
        }
        Ok(())
    }
}

/// Handles orders, until it is told to end.
async fn handle<DB: ServiceDatabase>(
    bus: EventBus,
    pool: Pool<DB>,
    arguments: &Arguments,
    steps: &Steps,
    consumer_steps: &ConsumerSteps,
) -> Result<String, Box<dyn Error>> {
    let outbox = Outbox::<DB>::new(pool.clone(), bus.clone());
    let inbox = Inbox::builder(pool).outbox(&outbox).build();
    let dead_letters = match arguments.form.letters {
        LettersIn::Stream => DeadLetters::stream(letters()),
        LettersIn::Table => {
            let table = LettersWithSteps::new(inbox.dead_letters(), consumer_steps);
            DeadLetters::store(table).retried_through(letters())
        }
    };
    let consumer = bus
        .consumer::<OrderPlaced>(CONSUMER)
        .concurrency(4)
        .ack_wait(ACK_WAIT)
        .retry(Retry::steps([Duration::from_millis(50)]).max_attempts(ATTEMPTS))
        .dead_letters(dead_letters);
    let billing = Billing {
        process: arguments.process,
        steps: steps.clone(),
    };
    let missing = "effects have an inbox";
    let consumer = if arguments.form.batches {
        let batches = inbox.batches(billing);
        let own = HandleBatch::<OrderPlaced>::inbox(&batches).ok_or(missing)?;
        let batches = HandlerWithSteps::new(batches, own, consumer_steps);
        consumer.batches_handled_by(8, Duration::from_millis(20), batches)
    } else {
        let effects = inbox.effects(billing);
        let own = Handle::<OrderPlaced>::inbox(&effects).ok_or(missing)?;
        consumer.handled_by(HandlerWithSteps::new(effects, own, consumer_steps))
    };
    let report = consumer.run_until(shutdown_signal()).await?;
    let drained = bus.drain(Duration::from_secs(10)).await?;
    Ok(format!("done before {} {drained:?}", report.done_before))
}
