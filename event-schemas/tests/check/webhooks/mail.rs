//! Events of services for mail, calls and parcels, in the shapes of `SendGrid`, `Twilio` and
//! `Shopify`.

use super::evolution;

evolution! {
    a_bounce_becomes_a_variant_with_fields => Refuses, Refuses;
    old { status: Status } with {
        enum Status { Delivered, Bounced }
    };
    writes [{ "status": "Bounced" }];
    new { status: Status } with {
        enum Status { Delivered, Bounced { reason: String } }
    };
    writes [{ "status": { "Bounced": { "reason": "full" } } }];
}

evolution! {
    a_strict_part_is_added => Refuses, Reads;
    old { email: String };
    writes [{ "email": "a@example.com" }];
    new { email: String, headers: Strict } with {
        #[serde(deny_unknown_fields)] struct Strict { x: u8 }
    };
    writes [{ "email": "a@example.com", "headers": { "x": 1 } }];
}

evolution! {
    a_strict_type_gains_a_field => Reads, Refuses;
    old { headers: Strict } with {
        #[serde(deny_unknown_fields)] struct Strict { id: u8 }
    };
    writes [{ "headers": { "id": 1 } }];
    new { headers: Strict } with {
        #[serde(deny_unknown_fields)]
        struct Strict {
            id: u8,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            ip: Option<String>,
        }
    };
    writes [{ "headers": { "id": 1 } }, { "headers": { "id": 1, "ip": "192.0.2.1" } }];
}

evolution! {
    a_text_becomes_a_newtype => Reads, Reads;
    old { to: String };
    writes [{ "to": "+49" }];
    new { to: Number } with {
        #[serde(transparent)] struct Number { digits: String }
    };
    writes [{ "to": "+49" }];
}

evolution! {
    a_pair_gains_a_part => Refuses, Refuses;
    old { place: (f64, f64) };
    writes [{ "place": [1.5, 2.5] }];
    new { place: (f64, f64, f64) };
    writes [{ "place": [1.5, 2.5, 0.5] }];
}

evolution! {
    an_optional_parcel_is_always_there => Refuses, Reads;
    old { parcel: Option<String> };
    writes [{ "parcel": null }, { "parcel": "p" }];
    new { parcel: String };
    writes [{ "parcel": "p" }];
}

evolution! {
    a_name_in_another_case => Refuses, Refuses;
    old { line_items: Vec<u8> };
    writes [{ "line_items": [1] }];
    new { #[serde(rename = "lineItems")] line_items: Vec<u8> };
    writes [{ "lineItems": [1] }];
}

evolution! {
    a_tree_of_options_grows => Reads, Reads;
    old { root: Node } with {
        struct Node { name: String, children: Vec<Node> }
    };
    writes [{ "root": { "name": "a", "children": [{ "name": "b", "children": [] }] } }];
    new { root: Node } with {
        struct Node { name: String, note: Option<String>, children: Vec<Node> }
    };
    writes [{ "root": { "name": "a", "note": null, "children": [{ "name": "b", "note": "n", "children": [] }] } }];
}
