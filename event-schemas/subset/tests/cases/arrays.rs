//! Arrays: items, counts, uniqueness, `contains`.

crate::table! {
    { "type": "array", "items": { "type": "integer" } } <= { "type": "array", "items": { "type": "number" } } => contained;
    { "type": "array", "items": { "type": "number" } } <= { "type": "array", "items": { "type": "integer" } } => broken ("type-narrowed" @ "[]");
    { "type": "array" } <= { "items": { "type": "integer" } } => broken ("type-narrowed" @ "[]");
    { "type": "array", "minItems": 2 } <= { "minItems": 1 } => contained;
    { "type": "array", "minItems": 1 } <= { "minItems": 2 } => broken ("item-count-tightened" @ "$");
    { "type": "array", "maxItems": 3 } <= { "maxItems": 3 } => contained;
    { "type": "array", "maxItems": 4 } <= { "maxItems": 3 } => broken ("item-count-tightened" @ "$");
    { "type": "array" } <= { "maxItems": 1000 } => broken ("item-count-tightened" @ "$");
    { "type": "array", "maxItems": 1 } <= { "uniqueItems": true } => contained;
    { "type": "array", "maxItems": 2 } <= { "uniqueItems": true } => broken ("unique-items-added" @ "$");
    { "type": "array", "uniqueItems": true } <= { "type": "array" } => contained;
    { "type": "array", "items": { "type": "boolean" }, "uniqueItems": true } <= { "maxItems": 2 } => contained;
    { "type": "array", "items": { "enum": [1, 2, 3] }, "uniqueItems": true } <= { "maxItems": 2 } => broken ("item-count-tightened" @ "$");
    { "type": "array", "prefixItems": [{ "const": 1 }, { "const": 2 }] } <= { "uniqueItems": true } => broken ("unique-items-added" @ "$");
    { "type": "array", "prefixItems": [{ "const": 1 }, { "const": 2 }], "items": false } <= { "uniqueItems": true } => contained;
    { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }], "items": false } <= { "maxItems": 2 } => contained;
    { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }] } <= { "prefixItems": [{ "type": "string" }] } => contained;
    { "type": "array", "prefixItems": [{ "type": "string" }] } <= { "prefixItems": [{ "type": "string" }, { "type": "integer" }] } => broken ("type-narrowed" @ "[1]");
    { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "number" }] } <= { "prefixItems": [{ "type": "integer" }, { "type": "integer" }] } => broken ("type-narrowed" @ "[0]") ("type-narrowed" @ "[1]");
    { "type": "array", "prefixItems": [{ "type": "string" }], "items": { "type": "string" } } <= { "items": { "type": "string" } } => contained;
    { "type": "array", "prefixItems": [{ "type": "integer" }], "items": { "type": "string" } } <= { "items": { "type": "string" } } => broken ("type-narrowed" @ "[0]");
    { "type": "array", "items": { "type": "string" } } <= { "prefixItems": [{}, {}], "items": false } => broken ("item-refused" @ "[2]");
    { "type": "array", "prefixItems": [true, false, { "type": "string" }] } <= { "maxItems": 1 } => contained;
    { "type": "array", "items": { "const": 1 }, "minItems": 1 } <= { "contains": { "const": 1 } } => contained;
    { "type": "array", "items": { "type": "integer" } } <= { "contains": { "const": 1 } } => broken ("contains-changed" @ "$");
    { "type": "array", "contains": { "const": 1 } } <= { "contains": { "type": "integer" } } => contained;
    { "type": "array", "contains": { "type": "integer" } } <= { "contains": { "const": 1 } } => broken ("contains-changed" @ "$");
    { "type": "array", "contains": { "const": 1 } } <= { "minItems": 1 } => contained;
    { "type": "array", "contains": { "const": 1 }, "minContains": 2 } <= { "minItems": 2 } => contained;
    { "type": "array", "contains": { "const": 1 }, "minContains": 0 } <= { "minItems": 1 } => broken ("item-count-tightened" @ "$");
    { "type": "array", "contains": { "const": 1 }, "maxContains": 1 } <= { "contains": { "const": 1 }, "maxContains": 2 } => contained;
    { "type": "array", "contains": { "const": 1 }, "maxContains": 2 } <= { "contains": { "const": 1 }, "maxContains": 1 } => broken ("contains-changed" @ "$");
    { "type": "array", "items": { "const": 1 }, "contains": true, "maxContains": 3 } <= { "maxItems": 3 } => contained;
    { "type": "array", "contains": { "const": 1 }, "minContains": 2 } <= { "not": { "uniqueItems": true } } => contained;
    { "type": "array", "maxItems": 2, "prefixItems": [{ "type": "null" }, { "type": "null" }] } <= { "unevaluatedItems": false } => broken ("item-refused" @ "[0]");
    { "type": "array", "prefixItems": [{ "type": "null" }], "items": false } <= { "prefixItems": [true], "unevaluatedItems": false } => contained;
    { "type": "array", "items": { "type": "integer" } } <= { "contains": { "type": "integer" }, "minContains": 0, "unevaluatedItems": false } => contained;
    { "type": "array", "items": { "type": "number" } } <= { "contains": { "type": "integer" }, "minContains": 0, "unevaluatedItems": false } => broken ("type-narrowed" @ "[]");
    { "type": "array", "items": { "type": "array", "items": { "type": "array", "items": { "type": "string" } } } } <= { "items": { "items": { "items": { "type": "string", "maxLength": 5 } } } } => broken ("length-tightened" @ "[][][]");
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "array", "items": [{ "type": "string" }], "additionalItems": { "type": "integer" } } <= { "prefixItems": [{ "type": "string" }], "items": { "type": "integer" } } => contained;
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "array", "items": [{ "type": "string" }] } <= { "$schema": "http://json-schema.org/draft-07/schema#", "items": [{ "type": "string" }], "additionalItems": false } => broken ("item-refused" @ "[1]");
}
