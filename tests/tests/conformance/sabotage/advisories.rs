//! Broken promises of advisories.

use event_sdk::transport::{
    Advisories, AdvisoryItem, AdvisoryRequest, AdvisoryStream, Capability, Completion, Error,
    Operation, Transport, TransportExt as _,
};
use futures_util::StreamExt;

use super::{Broken, Sabotage, blurred, only_pretended};

impl<T: Transport> Advisories for Broken<T> {
    fn listen(&self, mut request: AdvisoryRequest) -> Completion<Result<AdvisoryStream, Error>> {
        match self.sabotage {
            Sabotage::Pretends(Capability::Advisories) => {
                let error = only_pretended(Capability::Advisories, Operation::Subscribe);
                return Completion::ready(Err(error));
            }
            Sabotage::HearsEverything => request = AdvisoryRequest::default(),
            Sabotage::HearsNothing => {
                let nothing = Box::pin(futures_util::stream::pending()) as AdvisoryStream;
                return Completion::ready(Ok(nothing));
            }
            _ => {}
        }
        let (listening, sabotage) = (self.inner.listen_to_advisories(request), self.sabotage);
        Completion::later(async move {
            let advisories = listening.await.map_err(|error| blurred(sabotage, error))?;
            if sabotage != Sabotage::HearsNoReasons {
                return Ok(advisories);
            }
            let silent = advisories.map(|item| {
                item.map(|item| match item {
                    AdvisoryItem::Advisory(mut advisory) => {
                        advisory.reason = None;
                        AdvisoryItem::Advisory(advisory)
                    }
                    notice @ AdvisoryItem::Notice(_) => notice,
                })
            });
            Ok(Box::pin(silent) as AdvisoryStream)
        })
    }
}
