//! Whose turn it is, where an acknowledgement settles everything before it: one
//! subscription receives at a time, and begins with what is unsettled, in order.
//!
//! A server knows nothing of turns. Whoever wants to receive asks it until nobody
//! else does and what others had in hand has come back, takes that, and numbers
//! what comes after it: a number that is left out went to somebody else, and then
//! this one steps back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Message;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{sleep, timeout};

use super::bind::{self, Standing};
use super::core::Core;
use super::inbox::Inbox;
use super::reply::Reply;
use super::send::send;
use super::status::Status;
use crate::fault::{About, code};
use event_sdk_core::transport::{ConsumerConfig, Error, ErrorKind, Operation};

/// A turn that has come.
pub(super) struct Turn {
    /// What was unsettled, in order.
    pub(super) first: Vec<(Message, Reply)>,
    /// The consumer's own number of what comes next; `None` if it is not known,
    /// for there is no such consumer.
    pub(super) next: Option<u64>,
}

/// How long the server keeps the request for what is unsettled.
const EXPIRES: Duration = Duration::from_secs(1);

/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much later than after its ack wait a delivery may be due.
const LATE: Duration = Duration::from_millis(50);

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Waits for its turn, for as long as it takes.
///
/// Dropping it leaves what it has taken so far to the ack wait.
///
/// # Errors
///
/// [`ErrorKind::Denied`] or [`ErrorKind::Closed`]; whatever may pass is waited out.
pub(super) async fn take(core: Arc<Core>, config: Arc<ConsumerConfig>) -> Result<Turn, Error> {
    let about = core.via.about(Operation::Subscribe);
    let longest = config.backoff.iter().copied().max();
    let ack_wait = longest.unwrap_or(config.ack_wait);
    let pause = (ack_wait / 4).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    // Since when nothing was delivered, and up to which number.
    let mut quiet: Option<(u64, Instant)> = None;
    loop {
        match standing(&core, &about).await? {
            Asked::Nobody => {
                return Ok(Turn {
                    first: Vec::new(),
                    next: None,
                });
            }
            Asked::Later => quiet = None,
            Asked::Is(now) => {
                if now.unsettled == 0 && now.waiting == 0 || core.has_all_up_to(now.delivered) {
                    return Ok(Turn {
                        first: Vec::new(),
                        next: Some(now.delivered.saturating_add(1)),
                    });
                }
                let since = match quiet {
                    Some((delivered, since)) if delivered == now.delivered => since,
                    _ => Instant::now(),
                };
                quiet = Some((now.delivered, since));
                if now.waiting == 0 && since.elapsed() >= ack_wait.saturating_add(LATE) {
                    if let Some(turn) = unsettled(&core, &about, now.unsettled).await? {
                        return Ok(turn);
                    }
                    quiet = None;
                }
            }
        }
        sleep(pause).await;
    }
}

/// What the server says of the consumer.
enum Asked {
    Is(Standing),
    /// There is no such consumer: what comes of a request says what is to be done.
    Nobody,
    /// It did not say.
    Later,
}

async fn standing(core: &Core, about: &About) -> Result<Asked, Error> {
    let bound = core.bound();
    match bind::info(&core.via.link, &bound.stream, &bound.name, about).await {
        Ok(Ok(info)) => Ok(Asked::Is(info.standing())),
        Ok(Err(error)) if error.is(&[code::CONSUMER_NOT_FOUND, code::STREAM_NOT_FOUND]) => {
            Ok(Asked::Nobody)
        }
        Err(error) if matches!(error.kind(), ErrorKind::Denied | ErrorKind::Closed) => Err(error),
        Ok(Err(_)) | Err(_) => Ok(Asked::Later),
    }
}

/// Takes what is unsettled, so many; `None` if it was not all of it, or somebody
/// else has taken some meanwhile. It comes again then.
async fn unsettled(core: &Core, about: &About, count: u64) -> Result<Option<Turn>, Error> {
    let mut found = BTreeMap::new();
    if gather(core, about, count, &mut found).await.is_err() {
        return Ok(None);
    }
    let Asked::Is(now) = standing(core, about).await? else {
        return Ok(None);
    };
    let mut have: BTreeSet<u64> = core.in_hand();
    have.extend(found.keys());
    if now.waiting > 0 || now.unsettled > have.len() as u64 {
        return Ok(None);
    }
    Ok(Some(Turn {
        first: found.into_values().collect(),
        next: Some(now.delivered.saturating_add(1)),
    }))
}

/// Asks for `count` messages: what is due comes before anything new.
async fn gather(
    core: &Core,
    about: &About,
    count: u64,
    found: &mut BTreeMap<u64, (Message, Reply)>,
) -> Result<(), Error> {
    let via = &core.via;
    let bound = core.bound();
    let mut inbox = Inbox::open(&via.link, about).await?;
    let most = bound.max_batch.map_or(u64::MAX, u64::from).max(1);
    let expires = bound
        .max_expires
        .map_or(EXPIRES, |longest| longest.min(EXPIRES));
    let mut left = count;
    while left > 0 {
        let mut asked = left.min(most);
        left -= asked;
        let request = format!(r#"{{"batch":{asked},"expires":{}}}"#, expires.as_nanos());
        let reply = inbox.reply("unsettled");
        let next = via.next(&bound.name);
        if send(via.link.client(), &next, Some(&reply), Bytes::from(request))
            .await
            .is_err()
        {
            return Ok(());
        }
        while asked > 0 {
            let Ok(Some(message)) = timeout(PATIENCE, inbox.subscriber.next()).await else {
                return Ok(());
            };
            match Status::read(&message) {
                Some(Status::Waiting) => {}
                Some(_) => return Ok(()),
                None => {
                    asked -= 1;
                    let reply = message.reply.as_deref().and_then(Reply::parse);
                    if let Some(reply) = reply {
                        found.insert(reply.sequence, (message, reply));
                    }
                }
            }
        }
    }
    Ok(())
}
