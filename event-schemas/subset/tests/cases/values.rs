//! `type`, `enum`, `const`, `not`, and the schemas `true` and `false`.

crate::table! {
    true <= true => contained;
    true <= {} => contained;
    {} <= true => contained;
    false <= false => contained;
    false <= { "type": "string" } => contained;
    true <= false => broken ("nothing-accepted" @ "$");
    { "type": "string" } <= false => broken ("nothing-accepted" @ "$");
    { "type": "boolean" } <= { "enum": [true, false] } => contained;
    { "type": "boolean" } <= { "const": true } => broken ("const-changed" @ "$");
    { "type": "null" } <= { "const": null } => contained;
    { "enum": [true, false, null] } <= { "type": ["boolean", "null"] } => contained;
    { "type": ["string", "null"] } <= { "type": "string" } => broken ("type-narrowed" @ "$");
    { "type": "string" } <= { "type": ["string", "null"] } => contained;
    {} <= { "type": ["null", "boolean", "number", "string", "array", "object"] } => contained;
    {} <= { "type": ["null", "boolean", "integer", "string", "array", "object"] } => broken ("type-narrowed" @ "$");
    { "enum": ["a", "b"] } <= { "enum": ["b", "a", "c"] } => contained;
    { "enum": ["a", "b", "c"] } <= { "enum": ["a", "b"] } => broken ("enum-narrowed" @ "$");
    { "enum": ["a", "b"] } <= { "type": "string" } => contained;
    { "type": "string" } <= { "enum": ["a", "b"] } => broken ("enum-narrowed" @ "$");
    { "enum": ["a", 1] } <= { "type": "string" } => broken ("type-narrowed" @ "$");
    { "enum": ["a", null] } <= { "enum": ["a"] } => broken ("type-narrowed" @ "$");
    { "enum": ["a"] } <= { "const": "a" } => contained;
    { "const": "a" } <= { "const": "b" } => broken ("const-changed" @ "$");
    { "const": 1 } <= { "const": 1.0 } => contained;
    { "const": 1 } <= { "const": "1" } => broken ("type-narrowed" @ "$");
    { "const": { "a": 1 } } <= { "const": { "a": 1.0 } } => contained;
    { "const": { "a": 1 } } <= { "const": { "a": 2 } } => broken ("const-changed" @ "$");
    { "const": { "a": 1 } } <= { "type": "object", "required": ["a"] } => contained;
    { "const": [1, 2] } <= { "type": "array", "items": { "type": "integer" }, "maxItems": 2 } => contained;
    { "enum": [[1], { "b": [] }, "x"] } <= { "enum": ["x", { "b": [] }, [1], null] } => contained;
    { "enum": [[1], { "b": [] }] } <= { "enum": [[1], { "b": {} }] } => broken ("enum-narrowed" @ "$");
    { "type": "string" } <= { "not": { "type": "null" } } => contained;
    { "type": ["string", "null"] } <= { "not": { "type": "null" } } => broken ("forbidden" @ "$");
    { "type": "string" } <= { "not": { "enum": ["a", "b"] } } => broken ("forbidden" @ "$");
    { "not": { "type": "string" } } <= { "not": { "const": "a" } } => contained;
    { "not": { "const": "a" } } <= { "not": { "type": "string" } } => broken ("forbidden" @ "$");
    { "not": {} } <= { "type": "string" } => contained;
    { "not": { "not": { "type": "string" } } } <= { "type": "string" } => contained;
    { "title": "A", "description": "b", "default": 1, "examples": [2], "x-pii": true } <= {} => contained;
    { "type": "integer", "deprecated": true } <= { "type": "integer", "readOnly": true } => contained;
}
