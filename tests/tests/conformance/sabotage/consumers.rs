//! Broken promises of binding consumers.

use std::collections::HashMap;
use std::sync::Mutex;

use event_sdk::Pattern;
use event_sdk::transport::{
    AckPolicy, Capability, Difference, Error, ErrorKind, Operation, SubscribeRequest,
};

use super::{Sabotage, only_pretended};

/// The consumers that were asked for, by their names.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<String, SubscribeRequest>>);

impl Known {
    /// Refuses what is refused only by a transport that breaks its promise.
    pub(super) fn check(
        &self,
        sabotage: Sabotage,
        request: &SubscribeRequest,
    ) -> Result<(), Error> {
        let config = &request.config;
        if let Sabotage::Pretends(capability) = sabotage {
            let asked = match capability {
                Capability::SeveralFilters => config.filters.len() > 1,
                Capability::AckAll => config.ack == AckPolicy::All,
                Capability::Backoff => !config.backoff.is_empty(),
                _ => false,
            };
            if asked {
                return Err(only_pretended(capability, Operation::Subscribe));
            }
        }
        let Some(name) = config.name.as_str() else {
            return Ok(());
        };
        let mut known = self.0.lock().unwrap();
        let first = known
            .entry(name.to_owned())
            .or_insert_with(|| request.clone());
        let taken = match sabotage {
            Sabotage::SharesNamesAcrossStreams => first.stream != request.stream,
            Sabotage::MindsTheOrderOfFilters => {
                let (one, other) = (&first.config.filters, &config.filters);
                one != other && sorted(one) == sorted(other)
            }
            Sabotage::WantsTheSameFilters => {
                sorted(&first.config.filters) != sorted(&config.filters)
            }
            Sabotage::ComparesTheStart => first.config.deliver != config.deliver,
            _ => false,
        };
        if !taken {
            return Ok(());
        }
        let differences = vec![Difference {
            field: "filters",
            existing: format!("{:?}", first.config.filters),
            wanted: format!("{:?}", config.filters),
        }];
        Err(Error::new(
            ErrorKind::ConsumerMismatch { differences },
            Operation::Subscribe,
            "the name is taken",
        )
        .at_consumer(name.to_owned()))
    }
}

fn sorted(filters: &[Pattern]) -> Vec<&Pattern> {
    let mut sorted: Vec<_> = filters.iter().collect();
    sorted.sort();
    sorted
}
