//! Events of a payment service, in the shapes of Stripe's webhooks.

use super::evolution;

evolution! {
    an_object_more_behind_the_type => Reads, Refuses;
    old { id: String, data: Object } with {
        #[serde(tag = "object", rename_all = "snake_case")]
        enum Object { Charge { amount: u64 }, Refund { charge: String } }
    };
    writes [
        { "id": "e1", "data": { "object": "charge", "amount": 5 } },
        { "id": "e2", "data": { "object": "refund", "charge": "c" } },
    ];
    new { id: String, data: Object } with {
        #[serde(tag = "object", rename_all = "snake_case")]
        enum Object { Charge { amount: u64 }, Refund { charge: String }, Payout { bank: String } }
    };
    writes [{ "id": "e3", "data": { "object": "payout", "bank": "b" } }];
}

evolution! {
    an_object_more_where_other_takes_it => Reads, Reads;
    old { id: String, data: Object } with {
        #[serde(tag = "object", rename_all = "snake_case")]
        enum Object { Charge { amount: u64 }, #[serde(other)] Other }
    };
    writes [{ "id": "e1", "data": { "object": "charge", "amount": 5 } }];
    new { id: String, data: Object } with {
        #[serde(tag = "object", rename_all = "snake_case")]
        enum Object { Charge { amount: u64 }, Payout { bank: String }, #[serde(other)] Other }
    };
    writes [{ "id": "e3", "data": { "object": "payout", "bank": "b" } }];
}

evolution! {
    a_charge_gains_a_required_currency => Refuses, Reads;
    old { data: Object } with {
        #[serde(tag = "object", content = "fields", rename_all = "snake_case")]
        enum Object { Charge { amount: u64 }, Nothing }
    };
    writes [{ "data": { "object": "charge", "fields": { "amount": 5 } } }, { "data": { "object": "nothing" } }];
    new { data: Object } with {
        #[serde(tag = "object", content = "fields", rename_all = "snake_case")]
        enum Object { Charge { amount: u64, currency: String }, Nothing }
    };
    writes [{ "data": { "object": "charge", "fields": { "amount": 5, "currency": "eur" } } }];
}

evolution! {
    a_renamed_field_with_an_alias => Reads, Refuses;
    old { source: String };
    writes [{ "source": "card_1" }];
    new { #[serde(alias = "source")] payment_method: String };
    writes [{ "payment_method": "card_1" }];
}

evolution! {
    a_renamed_field_without_an_alias => Refuses, Refuses;
    old { source: String };
    writes [{ "source": "card_1" }];
    new { payment_method: String };
    writes [{ "payment_method": "card_1" }];
}

evolution! {
    /// The old name is still written, for old consumers.
    a_field_under_two_names => Reads, Reads;
    old { source: String };
    writes [{ "source": "card_1" }];
    new { source: String, payment_method: Option<String> };
    writes [{ "source": "card_1", "payment_method": "card_1" }];
}

evolution! {
    metadata_lets_more_values_in => Reads, Refuses;
    old { metadata: BTreeMap<String, String> };
    writes [{ "metadata": { "order": "7" } }];
    new { metadata: BTreeMap<String, Option<String>> };
    writes [{ "metadata": { "order": null } }];
}

evolution! {
    metadata_becomes_numbers => Refuses, Refuses;
    old { metadata: HashMap<String, String> };
    writes [{ "metadata": { "order": "7" } }];
    new { metadata: HashMap<String, u64> };
    writes [{ "metadata": { "order": 7 } }];
}

evolution! {
    an_expandable_field_becomes_an_object_too => Reads, Refuses;
    old { customer: String };
    writes [{ "customer": "c_1" }];
    new { customer: Expandable } with {
        #[serde(untagged)]
        enum Expandable { Id(String), Object { id: String, email: Option<String> } }
    };
    writes [{ "customer": "c_1" }, { "customer": { "id": "c_1", "email": null } }];
}

evolution! {
    an_expandable_field_is_never_expanded_again => Refuses, Reads;
    old { customer: Expandable } with {
        #[serde(untagged)]
        enum Expandable { Id(String), Object { id: String } }
    };
    writes [{ "customer": "c_1" }, { "customer": { "id": "c_1" } }];
    new { customer: String };
    writes [{ "customer": "c_1" }];
}

evolution! {
    amounts_become_signed => Reads, Refuses;
    old { amount: u32 };
    writes [{ "amount": 5 }];
    new { amount: i64 };
    writes [{ "amount": -5 }];
}

evolution! {
    amounts_become_text => Refuses, Refuses;
    old { amount: u32 };
    writes [{ "amount": 5 }];
    new { amount: String };
    writes [{ "amount": "5" }];
}

evolution! {
    a_list_is_paged => Refuses, Refuses;
    old { items: Vec<Item> } with {
        struct Item { id: String }
    };
    writes [{ "items": [{ "id": "i" }] }];
    new { items: Page } with {
        struct Page { data: Vec<Item>, has_more: bool } struct Item { id: String }
    };
    writes [{ "items": { "data": [{ "id": "i" }], "has_more": false } }];
}

evolution! {
    amounts_become_whole => Refuses, Reads;
    old { amount: f64 };
    writes [{ "amount": 0.5 }, { "amount": 1e300 }];
    new { amount: i64 };
    writes [{ "amount": 5 }, { "amount": -9_223_372_036_854_775_808_i64 }];
}

evolution! {
    amounts_become_whole_within_an_object => Refuses, Reads;
    old { data: Object, tip: Option<f64>, by_day: BTreeMap<String, f64> } with {
        #[serde(tag = "object", rename_all = "snake_case")]
        enum Object { Charge { amount: f64 }, Refund { charge: String } }
    };
    writes [{ "data": { "object": "charge", "amount": 0.5 }, "tip": null, "by_day": { "monday": 0.5 } }];
    new { data: Object, tip: Option<i64>, by_day: BTreeMap<String, i64> } with {
        #[serde(tag = "object", rename_all = "snake_case")]
        enum Object { Charge { amount: i64 }, Refund { charge: String } }
    };
    writes [{ "data": { "object": "charge", "amount": 5 }, "tip": 5, "by_day": { "monday": 5 } }];
}
