//! Broken promises of history.

use event_sdk::transport::{
    Capability, Completion, Error, History, HistoryRequest, HistoryStream, Operation, Order,
    Transport, TransportExt as _,
};

use super::{Broken, Sabotage, blurred, only_pretended};

impl<T: Transport> History for Broken<T> {
    fn read(&self, mut request: HistoryRequest) -> Completion<Result<HistoryStream, Error>> {
        match self.sabotage {
            Sabotage::ReadsForwardOnly => request.order = Order::OldestFirst,
            Sabotage::IgnoresTheLimit => request.limit = None,
            Sabotage::Pretends(Capability::History) => {
                return Completion::ready(Err(only_pretended(
                    Capability::History,
                    Operation::Read,
                )));
            }
            _ => {}
        }
        let (history, sabotage) = (self.inner.read_history(request), self.sabotage);
        Completion::later(async move { history.await.map_err(|error| blurred(sabotage, error)) })
    }
}
