//! Events of a chat, in the shapes of Slack's events.

use super::evolution;

evolution! {
    a_block_more_in_a_message => Reads, Refuses;
    old { blocks: Vec<Block> } with {
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Block { Divider, Section { text: String } }
    };
    writes [{ "blocks": [{ "type": "divider" }, { "type": "section", "text": "hi" }] }];
    new { blocks: Vec<Block> } with {
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Block { Divider, Section { text: String }, Image { url: String } }
    };
    writes [{ "blocks": [{ "type": "image", "url": "https://example.com/" }] }];
}

evolution! {
    /// Each kind of event lies flat beside the team, under its own name.
    a_flattened_event_more => Reads, Refuses;
    old { team: String, #[serde(flatten)] event: Kind } with {
        #[serde(rename_all = "snake_case")]
        enum Kind { Message { text: String }, Reaction { emoji: String } }
    };
    writes [{ "team": "t", "message": { "text": "hi" } }];
    new { team: String, #[serde(flatten)] event: Kind } with {
        #[serde(rename_all = "snake_case")]
        enum Kind { Message { text: String }, Reaction { emoji: String }, Pin { item: String } }
    };
    writes [{ "team": "t", "pin": { "item": "i" } }];
}

evolution! {
    /// To old consumers, an event that they do not know is none: as a field that they do not know.
    an_optional_flattened_event_more => Reads, Reads;
    old { team: String, #[serde(flatten)] event: Option<Kind> } with {
        #[serde(rename_all = "snake_case")]
        enum Kind { Message { text: String } }
    };
    writes [{ "team": "t" }, { "team": "t", "message": { "text": "hi" } }];
    new { team: String, #[serde(flatten)] event: Option<Kind> } with {
        #[serde(rename_all = "snake_case")]
        enum Kind { Message { text: String }, Pin { item: String } }
    };
    writes [{ "team": "t" }, { "team": "t", "pin": { "item": "i" } }];
}

evolution! {
    an_optional_flattened_event_changes_its_type => Loses("/message"), Loses("/message");
    old { team: String, #[serde(flatten)] event: Option<Kind> } with {
        #[serde(rename_all = "snake_case")]
        enum Kind { Message { text: String }, Pin { item: String } }
    };
    writes [{ "team": "t", "message": { "text": "hi" } }];
    new { team: String, #[serde(flatten)] event: Option<Kind> } with {
        #[serde(rename_all = "snake_case")]
        enum Kind { Message { text: Vec<String> }, Pin { item: String } }
    };
    writes [{ "team": "t", "message": { "text": ["hi"] } }];
}

evolution! {
    an_event_with_a_flattened_tag_gains_a_variant => Reads, Refuses;
    old { team: String, #[serde(flatten)] event: Kind } with {
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Kind { Message { text: String }, Joined { user: String } }
    };
    writes [{ "team": "t", "type": "message", "text": "hi" }];
    new { team: String, #[serde(flatten)] event: Kind } with {
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Kind { Message { text: String }, Joined { user: String }, Left { user: String } }
    };
    writes [{ "team": "t", "type": "left", "user": "u" }];
}

evolution! {
    an_event_with_a_flattened_tag_gains_one_where_other_takes_it => Reads, Reads;
    old { team: String, #[serde(flatten)] event: Kind } with {
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Kind { Message { text: String }, #[serde(other)] Other }
    };
    writes [{ "team": "t", "type": "message", "text": "hi" }];
    new { team: String, #[serde(flatten)] event: Kind } with {
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Kind { Message { text: String }, Left { user: String }, #[serde(other)] Other }
    };
    writes [{ "team": "t", "type": "left", "user": "u" }];
}

evolution! {
    /// What no field has is kept in a map.
    a_field_comes_out_of_the_map_of_the_rest => Reads, Reads;
    old { channel: String, #[serde(flatten)] rest: BTreeMap<String, String> };
    writes [{ "channel": "c", "thread": "t" }, { "channel": "c" }];
    new {
        channel: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<String>,
        #[serde(flatten)]
        rest: BTreeMap<String, String>
    };
    writes [{ "channel": "c", "thread": "t" }, { "channel": "c", "more": "m" }];
}

evolution! {
    /// Old consumers read everything that they do not know as text.
    a_number_beside_the_map_of_the_rest => Refuses, Refuses;
    old { channel: String, #[serde(flatten)] rest: BTreeMap<String, String> };
    writes [{ "channel": "c", "stars": "many" }];
    new {
        channel: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stars: Option<u8>,
        #[serde(flatten)]
        rest: BTreeMap<String, String>
    };
    writes [{ "channel": "c", "stars": 5 }];
}
