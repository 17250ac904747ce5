//! Looks whether the position of a consumer lies beyond the end of its stream: the stream went back to
//! an older state, and the consumer did not.
//!
//! A server delivers nothing to such a consumer until the stream has reached the consumer's
//! position again. Messages that are stored until then are passed over.

use std::sync::Arc;
use std::time::Duration;

use super::ack_context::AckContext;
use super::bind::Delivered;
use super::gaps;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, WentBack};

/// How often it has to be seen, and after which pauses: servers of a cluster may be behind each other
/// for a moment.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(250);

/// How often a look is repeated that a server cannot answer, and after which pause: a cluster that comes
/// back elects its leaders first, and delivers nothing before.
const UNANSWERED: u32 = 10;
const UNANSWERED_PAUSE: Duration = Duration::from_secs(1);

/// Looks at the consumer and then at the stream, which has everything that was delivered before. Repeats
/// what a server cannot answer at the moment.
pub(super) async fn look(
    ack_context: Arc<AckContext>,
    consumer: Text,
) -> Result<Option<WentBack>, Error> {
    let (mut looks, mut unanswered) = (0, 0);
    loop {
        let (at, last) = match look_once(&ack_context, &consumer).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(error) if error.is_transient() && unanswered < UNANSWERED => {
                unanswered += 1;
                tokio::time::sleep(UNANSWERED_PAUSE).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        if !at.is_beyond(last) {
            return Ok(None);
        }
        looks += 1;
        if looks == LOOKS {
            let position = at.stream_seq;
            return Ok(Some(WentBack::new(position, last)));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reads the last sequence that the consumer has delivered, then the last one of its stream. `None` if there
/// is no such consumer.
async fn look_once(
    ack_context: &AckContext,
    consumer: &str,
) -> Result<Option<(Delivered, u64)>, Error> {
    let Some(at) = gaps::consumer(ack_context, consumer).await? else {
        return Ok(None);
    };
    let last = gaps::last_sequence(ack_context).await?;
    Ok(Some((at, last)))
}

#[cfg(test)]
mod tests {
    use super::super::bind::Delivered;

    #[test]
    fn a_consumer_that_has_delivered_nothing_may_begin_beyond_the_end() {
        let at = |consumer_seq, stream_seq| Delivered {
            consumer_seq,
            stream_seq,
        };
        assert!(!at(0, 999).is_beyond(80));
        assert!(!at(80, 80).is_beyond(80));
        assert!(at(100, 100).is_beyond(80));
    }
}
