//! Broken promises of publishing.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use event_sdk::codec::{Codec, JsonCodec};
use event_sdk::headers::Headers;
use event_sdk::transport::{
    Body, Capability, Completion, Confirmation, Error, ErrorKind, Expectations, Operation,
    PublishRequest, RollUp, Stored, Transport,
};

use super::{Broken, Sabotage, blurred, only_pretended};

impl<T: Transport> Broken<T> {
    pub(super) fn broken_publish(
        &self,
        mut message: PublishRequest<'_>,
    ) -> Completion<Result<Confirmation, Error>> {
        let number = self.published.fetch_add(1, Ordering::SeqCst) + 1;
        match self.sabotage {
            Sabotage::LosesEveryTenth if number.is_multiple_of(10) => {
                return confirmed(number);
            }
            Sabotage::PublishesWhileDraining if self.draining.load(Ordering::SeqCst) => {
                return confirmed(number);
            }
            Sabotage::RefusesToPublishWhileDraining if self.draining.load(Ordering::SeqCst) => {
                return Completion::ready(Err(Error::closed(Operation::Publish)));
            }
            Sabotage::ForgetsMessageIds => message.message_id = None,
            Sabotage::IgnoresExpectations => message.expect = Expectations::default(),
            Sabotage::RollsUpDuplicates if message.roll_up.is_some() => message.message_id = None,
            Sabotage::RollsNothingUp => message.roll_up = None,
            Sabotage::RollsEverythingUp => {
                message.roll_up = message.roll_up.map(|_| RollUp::Stream);
            }
            Sabotage::DropsHeaders => message.headers = Headers::new(),
            Sabotage::CutsBodiesAtZero => {
                if let Body::Encoded(bytes) = &mut message.body {
                    let end = bytes.iter().position(|byte| *byte == 0);
                    bytes.truncate(end.unwrap_or(bytes.len()));
                }
            }
            Sabotage::FillsEmptyBodies => {
                if let Body::Encoded(bytes) = &mut message.body
                    && bytes.is_empty()
                {
                    *bytes = Bytes::from_static(b"{}");
                }
            }
            Sabotage::Pretends(capability) => {
                let expect = &message.expect;
                let asked = match capability {
                    Capability::Deduplication => message.message_id.is_some(),
                    Capability::ExpectStream => expect.last_sequence.is_some(),
                    Capability::ExpectSubject => expect.last_subject_sequence.is_some(),
                    Capability::ExpectPattern => expect.last_pattern_sequence.is_some(),
                    Capability::RollUp => message.roll_up.is_some(),
                    _ => false,
                };
                if asked {
                    return Completion::ready(Err(only_pretended(capability, Operation::Publish)));
                }
            }
            Sabotage::EncodesValues => message.body = encoded(message.body),
            _ => {}
        }
        let turn = self
            .is(Sabotage::WaitsForSlowSubscriptions)
            .then(|| self.waiting.turn());
        let published = self.inner.publish(message);
        let sabotage = self.sabotage;
        Completion::later(async move {
            if let Some(turn) = turn {
                turn.await;
            }
            let confirmation = match published.await {
                Ok(confirmation) => confirmation,
                Err(error) => return refused(sabotage, number, error),
            };
            let stored = match confirmation.await {
                Ok(stored) => stored,
                Err(error) => return refused(sabotage, number, error),
            };
            Ok(Completion::ready(Ok(answered(sabotage, stored))))
        })
    }
}

fn answered(sabotage: Sabotage, mut stored: Stored) -> Stored {
    match sabotage {
        Sabotage::AnswersAnotherSequence => stored.sequence = stored.sequence.map(|n| n + 1),
        Sabotage::HidesDuplicates => stored.duplicate = false,
        Sabotage::CallsEverythingADuplicate => stored.duplicate = true,
        _ => {}
    }
    stored
}

fn refused(sabotage: Sabotage, number: u64, error: Error) -> Result<Confirmation, Error> {
    match sabotage {
        Sabotage::ConfirmsWhatNoStreamStores if *error.kind() == ErrorKind::NoStream => {
            Ok(Completion::ready(Ok(Stored::new(None, Some(number)))))
        }
        Sabotage::ConfirmsDeniedRollUps if *error.kind() == ErrorKind::DeletionDenied => {
            Ok(Completion::ready(Ok(Stored::new(None, Some(number)))))
        }
        Sabotage::IsNeverSure => Err(error.with_unknown_outcome()),
        _ => Err(blurred(sabotage, error)),
    }
}

/// What a transport says that did not store the message.
fn confirmed(number: u64) -> Completion<Result<Confirmation, Error>> {
    Completion::ready(Ok(Completion::ready(Ok(Stored::new(None, Some(number))))))
}

fn encoded(body: Body) -> Body {
    let Body::Value(value) = body else {
        return body;
    };
    let (mut headers, mut out) = (Headers::new(), Vec::new());
    JsonCodec
        .encode(&value.to_header(), &*value.event, &mut headers, &mut out)
        .unwrap();
    Body::Encoded(Bytes::from(out))
}
