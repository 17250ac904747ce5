//! Events of a service that keeps repositories, in the shapes of GitHub's webhooks.

use super::evolution;

evolution! {
    a_field_that_may_be_null_is_added => Reads, Reads;
    old { action: String, number: u64 };
    writes [{ "action": "opened", "number": 1 }];
    new { action: String, number: u64, milestone: Option<String> };
    writes [{ "action": "opened", "number": 1, "milestone": null }, { "action": "closed", "number": 2, "milestone": "1.0" }];
}

evolution! {
    a_field_that_must_be_there_is_added => Refuses, Reads;
    old { action: String };
    writes [{ "action": "opened" }];
    new { action: String, draft: bool };
    writes [{ "action": "opened", "draft": true }];
}

evolution! {
    a_field_with_a_default_is_added => Reads, Reads;
    old { action: String };
    writes [{ "action": "opened" }];
    new {
        action: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        labels: Vec<String>
    };
    writes [{ "action": "opened" }, { "action": "labeled", "labels": ["bug"] }];
}

evolution! {
    an_action_more_in_a_closed_enumeration => Reads, Refuses;
    old { action: Action } with {
        #[serde(rename_all = "snake_case")]
        enum Action { Opened, Closed }
    };
    writes [{ "action": "opened" }, { "action": "closed" }];
    new { action: Action } with {
        #[serde(rename_all = "snake_case")]
        enum Action { Opened, Closed, Reopened }
    };
    writes [{ "action": "reopened" }];
}

evolution! {
    an_action_more_where_other_takes_it => Reads, Reads;
    old { action: Action } with {
        #[serde(rename_all = "snake_case")]
        enum Action { Opened, Closed, #[serde(other)] Other }
    };
    writes [{ "action": "opened" }];
    new { action: Action } with {
        #[serde(rename_all = "snake_case")]
        enum Action { Opened, Closed, Reopened, #[serde(other)] Other }
    };
    writes [{ "action": "reopened" }];
}

evolution! {
    an_action_less_without_other => Refuses, Reads;
    old { action: Action } with {
        #[serde(rename_all = "snake_case")]
        enum Action { Opened, Closed, Transferred }
    };
    writes [{ "action": "transferred" }];
    new { action: Action } with {
        #[serde(rename_all = "snake_case")]
        enum Action { Opened, Closed }
    };
    writes [{ "action": "closed" }];
}

evolution! {
    a_nested_user_loses_a_required_field => Reads, Refuses;
    old { sender: User } with {
        struct User { login: String, gravatar_id: String }
    };
    writes [{ "sender": { "login": "ann", "gravatar_id": "" } }];
    new { sender: User } with {
        struct User { login: String }
    };
    writes [{ "sender": { "login": "ann" } }];
}

evolution! {
    a_deleted_user_becomes_null => Reads, Refuses;
    old { sender: User } with {
        struct User { login: String }
    };
    writes [{ "sender": { "login": "ann" } }];
    new { sender: Option<User> } with {
        struct User { login: String }
    };
    writes [{ "sender": null }];
}

evolution! {
    ids_outgrow_32_bits => Reads, Refuses;
    old { id: u32 };
    writes [{ "id": 7 }];
    new { id: u64 };
    writes [{ "id": 5_000_000_000_u64 }];
}

evolution! {
    commits_become_objects => Refuses, Refuses;
    old { commits: Vec<String> };
    writes [{ "commits": ["0a1b"] }];
    new { commits: Vec<Commit> } with {
        struct Commit { sha: String }
    };
    writes [{ "commits": [{ "sha": "0a1b" }] }];
}

evolution! {
    /// The payload lies flat beside the envelope's fields.
    a_flattened_payload_gains_an_optional_field => Reads, Reads;
    old { delivery: String, #[serde(flatten)] payload: Payload } with {
        struct Payload { reference: String }
    };
    writes [{ "delivery": "d", "reference": "main" }];
    new { delivery: String, #[serde(flatten)] payload: Payload } with {
        struct Payload { reference: String, forced: Option<bool> }
    };
    writes [{ "delivery": "d", "reference": "main", "forced": true }];
}

evolution! {
    a_flattened_payload_gains_a_required_field => Refuses, Reads;
    old { delivery: String, #[serde(flatten)] payload: Payload } with {
        struct Payload { reference: String }
    };
    writes [{ "delivery": "d", "reference": "main" }];
    new { delivery: String, #[serde(flatten)] payload: Payload } with {
        struct Payload { reference: String, before: String }
    };
    writes [{ "delivery": "d", "reference": "main", "before": "0a" }];
}

evolution! {
    an_optional_flattened_payload_gains_a_required_field => Loses("/reference"), Reads;
    old { delivery: String, #[serde(flatten)] payload: Option<Payload> } with {
        struct Payload { reference: String }
    };
    writes [{ "delivery": "d" }, { "delivery": "d", "reference": "main" }];
    new { delivery: String, #[serde(flatten)] payload: Option<Payload> } with {
        struct Payload { reference: String, before: String }
    };
    writes [{ "delivery": "d" }, { "delivery": "d", "reference": "main", "before": "0a" }];
}
