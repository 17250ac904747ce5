//! `anyOf`, `oneOf`, `allOf`, conditions, and enums as serde writes them.

crate::table! {
    { "anyOf": [{ "type": "string" }, { "type": "integer" }] } <= { "type": ["string", "number"] } => contained;
    { "type": ["string", "integer"] } <= { "anyOf": [{ "type": "string" }, { "type": "integer" }] } => contained;
    { "type": ["string", "number"] } <= { "anyOf": [{ "type": "string" }, { "type": "integer" }] } => broken ("type-narrowed" @ "$");
    { "type": "boolean" } <= { "anyOf": [{ "type": "string" }, { "type": "integer" }] } => broken ("type-narrowed" @ "$");
    { "anyOf": [{ "type": "string", "minLength": 1 }, { "type": "null" }] } <= { "anyOf": [{ "type": "null" }, { "type": "string" }] } => contained;
    { "anyOf": [{ "type": "string" }, { "type": "null" }] } <= { "anyOf": [{ "type": "null" }, { "type": "string", "minLength": 1 }] } => broken ("length-tightened" @ "$");
    { "type": "integer" } <= { "anyOf": [{ "minimum": 0 }, { "maximum": 5 }] } => contained;
    { "type": "integer" } <= { "anyOf": [{ "minimum": 5 }, { "maximum": 3 }] } => broken ("variant-removed" @ "$");
    { "type": "integer" } <= { "anyOf": [{ "minimum": 5 }, { "maximum": 4 }] } => contained;
    { "allOf": [{ "type": "integer" }, { "minimum": 3 }] } <= { "type": "integer", "minimum": 3 } => contained;
    { "type": "integer", "minimum": 3 } <= { "allOf": [{ "type": "integer" }, { "minimum": 3 }] } => contained;
    { "type": "object" } <= { "allOf": [{ "required": ["a"] }, { "required": ["b"] }] } => broken ("required-added" @ "a") ("required-added" @ "b");
    { "allOf": [{ "type": "string" }, { "type": "integer" }] } <= false => contained;
    { "oneOf": [{ "type": "string" }, { "type": "integer" }] } <= { "anyOf": [{ "type": "string" }, { "type": "integer" }] } => contained;
    { "anyOf": [{ "type": "string" }, { "type": "integer" }] } <= { "oneOf": [{ "type": "string" }, { "type": "integer" }] } => contained;
    { "type": "integer" } <= { "oneOf": [{ "type": "integer" }, { "type": "number" }] } => broken ("variant-ambiguous" @ "$");
    { "oneOf": [{ "multipleOf": 2 }, { "multipleOf": 3 }], "type": "integer" } <= { "not": { "multipleOf": 6 } } => contained;
    { "type": "integer" } <= { "oneOf": [{ "multipleOf": 2 }, { "multipleOf": 3 }] } => broken ("variant-removed" @ "$") ("variant-ambiguous" @ "$");

    // internally tagged
    {
        "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "card" }, "last4": { "type": "string" } }, "required": ["kind", "last4"] },
            { "type": "object", "properties": { "kind": { "const": "cash" } }, "required": ["kind"] }
        ]
    } <= {
        "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "cash" } }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "card" }, "last4": { "type": "string" } }, "required": ["kind", "last4"] },
            { "type": "object", "properties": { "kind": { "const": "iban" } }, "required": ["kind"] }
        ]
    } => contained;
    {
        "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "card" } }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "cash" } }, "required": ["kind"] }
        ]
    } <= {
        "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "card" } }, "required": ["kind"] }
        ]
    } => broken ("const-changed" @ "kind");
    {
        "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "card" } }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "cash" } }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "iban" } }, "required": ["kind"] }
        ]
    } <= {
        "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "card" } }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "iban" } }, "required": ["kind"] }
        ]
    } => broken ("variant-removed" @ "$");
    {
        "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "card" }, "last4": { "type": "string" } }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "cash" } }, "required": ["kind"] }
        ]
    } <= {
        "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "card" }, "last4": { "type": "string", "maxLength": 4 } }, "required": ["kind", "last4"] },
            { "type": "object", "properties": { "kind": { "const": "cash" } }, "required": ["kind"] }
        ]
    } => broken ("required-added" @ "last4") ("length-tightened" @ "last4");
    {
        "oneOf": [
            { "type": "object", "properties": { "type": { "const": "card" }, "last4": { "type": "string" } }, "required": ["type"] },
            { "type": "object", "properties": { "type": { "const": "cash" } }, "required": ["type"] }
        ],
        "unevaluatedProperties": false
    } <= {
        "oneOf": [
            { "type": "object", "properties": { "type": { "const": "card" } }, "required": ["type"] },
            { "type": "object", "properties": { "type": { "const": "cash" } }, "required": ["type"] }
        ],
        "unevaluatedProperties": false
    } => broken ("property-refused" @ "last4");

    // externally tagged
    {
        "oneOf": [
            { "type": "string", "enum": ["None"] },
            { "type": "object", "properties": { "Card": { "type": "object", "properties": { "n": { "type": "string" } }, "required": ["n"] } }, "required": ["Card"], "additionalProperties": false }
        ]
    } <= {
        "oneOf": [
            { "type": "string", "enum": ["None", "Other"] },
            { "type": "object", "properties": { "Card": { "type": "object", "properties": { "n": { "type": "string" } }, "required": ["n"] } }, "required": ["Card"], "additionalProperties": false },
            { "type": "object", "properties": { "Iban": { "type": "string" } }, "required": ["Iban"], "additionalProperties": false }
        ]
    } => contained;
    {
        "oneOf": [
            { "type": "object", "properties": { "Card": { "type": "string" } }, "required": ["Card"], "additionalProperties": false },
            { "type": "object", "properties": { "Iban": { "type": "string" } }, "required": ["Iban"], "additionalProperties": false }
        ]
    } <= {
        "oneOf": [
            { "type": "object", "properties": { "Card": { "type": "integer" } }, "required": ["Card"], "additionalProperties": false },
            { "type": "object", "properties": { "Iban": { "type": "string", "minLength": 1 } }, "required": ["Iban"], "additionalProperties": false }
        ]
    } => broken ("type-narrowed" @ "Card") ("length-tightened" @ "Iban");
    {
        "oneOf": [
            { "type": "object", "properties": { "Card": { "type": "string" } }, "required": ["Card"], "additionalProperties": false },
            { "type": "object", "properties": { "Iban": { "type": "string" } }, "required": ["Iban"], "additionalProperties": false },
            { "type": "object", "properties": { "Cash": { "type": "string" } }, "required": ["Cash"], "additionalProperties": false }
        ]
    } <= {
        "oneOf": [
            { "type": "object", "properties": { "Iban": { "type": "string" } }, "required": ["Iban"], "additionalProperties": false },
            { "type": "object", "properties": { "Cash": { "type": "string" } }, "required": ["Cash"], "additionalProperties": false }
        ]
    } => broken ("variant-removed" @ "$");

    // adjacently tagged
    {
        "oneOf": [
            { "type": "object", "properties": { "t": { "const": "A" }, "c": { "type": "integer" } }, "required": ["t", "c"] },
            { "type": "object", "properties": { "t": { "const": "B" }, "c": { "type": "string" } }, "required": ["t", "c"] }
        ]
    } <= {
        "oneOf": [
            { "type": "object", "properties": { "t": { "const": "A" }, "c": { "type": "integer", "minimum": 0 } }, "required": ["t", "c"] },
            { "type": "object", "properties": { "t": { "const": "B" }, "c": { "type": "string" } }, "required": ["t", "c"] }
        ]
    } => broken ("bound-tightened" @ "c");

    // optional values
    { "type": "object", "properties": { "a": { "anyOf": [{ "type": "object", "required": ["x"] }, { "type": "null" }] } } } <= { "type": "object", "properties": { "a": { "type": "object", "required": ["x"] } } } => broken ("type-narrowed" @ "a");
    { "type": "object", "properties": { "a": { "anyOf": [{ "type": "object", "properties": { "x": {} } }, { "type": "null" }] } } } <= { "type": "object", "properties": { "a": { "anyOf": [{ "type": "object", "properties": { "x": {} }, "required": ["x"] }, { "type": "null" }] } } } => broken ("required-added" @ "a.x");

    // conditions
    { "type": "integer", "minimum": 10 } <= { "if": { "minimum": 5 }, "then": { "minimum": 7 } } => contained;
    { "type": "integer" } <= { "if": { "minimum": 5 }, "then": { "minimum": 7 } } => broken ("condition-tightened" @ "$");
    { "type": "integer" } <= { "if": { "minimum": 5 }, "then": {}, "else": { "maximum": 4 } } => contained;
    { "type": "integer" } <= { "if": { "minimum": 5 }, "else": { "maximum": 3 } } => broken ("condition-tightened" @ "$");
    { "if": { "type": "string" }, "then": { "minLength": 1 }, "else": { "type": "integer" } } <= { "type": ["string", "integer"] } => contained;
    { "type": "object", "properties": { "k": { "const": "x" }, "v": { "type": "integer" } }, "required": ["k"] } <= { "if": { "properties": { "k": { "const": "x" } }, "required": ["k"] }, "then": { "properties": { "v": { "type": "number" } } }, "else": false } => contained;
    { "anyOf": [{ "required": ["a"] }, { "required": ["b"] }], "type": "object" } <= { "minProperties": 1 } => contained;
    { "type": "object", "minProperties": 1 } <= { "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] } => broken ("variant-removed" @ "$");
}
