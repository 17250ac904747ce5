//! Objects: properties, values, counts.

crate::table! {
    { "type": "object", "required": ["a"] } <= { "type": "object" } => contained;
    { "type": "object" } <= { "type": "object", "required": ["a"] } => broken ("required-added" @ "a");
    { "type": "object", "required": ["a"] } <= { "required": ["a", "b", "c"] } => broken ("required-added" @ "b") ("required-added" @ "c");
    { "type": "object", "properties": { "a": { "type": "integer" } } } <= { "properties": { "a": { "type": "number" } } } => contained;
    { "type": "object", "properties": { "a": { "type": "number" } } } <= { "properties": { "a": { "type": "integer" } } } => broken ("type-narrowed" @ "a");
    { "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "number" } } } <= { "properties": { "a": { "type": "integer" }, "b": { "minimum": 0 } } } => broken ("type-narrowed" @ "a") ("bound-tightened" @ "b");
    { "type": "object", "properties": { "a": {} }, "additionalProperties": false } <= { "properties": { "a": {}, "b": {} }, "additionalProperties": false } => contained;
    { "type": "object", "properties": { "a": {}, "b": {} }, "additionalProperties": false } <= { "properties": { "a": {} }, "additionalProperties": false } => broken ("property-refused" @ "b");
    { "type": "object", "properties": { "a": {}, "b": {} }, "additionalProperties": false } <= { "properties": { "a": {} } } => contained;
    { "type": "object", "properties": { "a": {} } } <= { "properties": { "a": {} }, "additionalProperties": false } => broken ("property-refused" @ "*");
    { "type": "object" } <= { "properties": { "a": false } } => broken ("property-refused" @ "a");
    { "type": "object", "additionalProperties": { "type": "integer" } } <= { "additionalProperties": { "type": "number" } } => contained;
    { "type": "object", "additionalProperties": { "type": "number" } } <= { "additionalProperties": { "type": "integer" } } => broken ("type-narrowed" @ "*");
    { "type": "object", "properties": { "a": { "type": "string" } }, "additionalProperties": false } <= { "additionalProperties": { "type": "integer" } } => broken ("type-narrowed" @ "a");
    { "type": "object", "properties": { "n": { "type": "object", "properties": { "x": { "type": "integer" } } } } } <= { "properties": { "n": { "required": ["x"] } } } => broken ("required-added" @ "n.x");
    { "type": "object", "properties": { "items": { "type": "array", "items": { "type": "object", "properties": { "price": { "type": "number" } } } } } } <= { "properties": { "items": { "items": { "properties": { "price": { "minimum": 0 } } } } } } => broken ("bound-tightened" @ "items[].price");
    { "type": "object", "patternProperties": { "^x-": { "type": "string" } }, "additionalProperties": false } <= { "patternProperties": { "^x": { "type": "string" } }, "additionalProperties": false } => contained;
    { "type": "object", "patternProperties": { "^x": { "type": "string" } }, "additionalProperties": false } <= { "patternProperties": { "^x-": { "type": "string" } }, "additionalProperties": false } => broken ("property-refused" @ "*");
    { "type": "object", "patternProperties": { "^x-": { "type": "string" } } } <= { "patternProperties": { "^x-": { "type": "integer" } } } => broken ("type-narrowed" @ "*");
    { "type": "object", "properties": { "x-a": { "type": "integer" } }, "additionalProperties": false } <= { "patternProperties": { "^x-": { "type": "integer" } } } => contained;
    { "type": "object", "properties": { "x-a": { "type": "string" } }, "additionalProperties": false } <= { "patternProperties": { "^x-": { "type": "integer" } } } => broken ("type-narrowed" @ "x-a");
    { "type": "object", "propertyNames": { "pattern": "^[a-z]+$" } } <= { "propertyNames": { "pattern": "^[a-z0-9]*$" } } => contained;
    { "type": "object" } <= { "propertyNames": { "pattern": "^[a-z]+$" } } => broken ("property-name-refused" @ "$");
    { "type": "object", "propertyNames": { "enum": ["a", "b"] } } <= { "properties": { "a": {}, "b": {} }, "additionalProperties": false } => contained;
    { "type": "object", "propertyNames": { "enum": ["a", "b"] } } <= { "maxProperties": 2 } => contained;
    { "type": "object", "propertyNames": { "enum": ["a", "b"] } } <= { "maxProperties": 1 } => broken ("property-count-tightened" @ "$");
    { "type": "object", "minProperties": 2 } <= { "minProperties": 1 } => contained;
    { "type": "object", "minProperties": 1 } <= { "minProperties": 2 } => broken ("property-count-tightened" @ "$");
    { "type": "object", "required": ["a", "b"] } <= { "minProperties": 2 } => contained;
    { "type": "object", "properties": { "a": {}, "b": {} }, "additionalProperties": false } <= { "maxProperties": 2 } => contained;
    { "type": "object", "properties": { "a": {}, "b": {}, "c": {} }, "additionalProperties": false } <= { "maxProperties": 2 } => broken ("property-count-tightened" @ "$");
    { "type": "object", "maxProperties": 1, "required": ["a"] } <= { "properties": { "a": {} }, "additionalProperties": false } => contained;
    { "type": "object", "maxProperties": 1, "required": ["a", "b"] } <= false => contained;
    { "type": "object", "dependentRequired": { "a": ["b"] } } <= { "dependentRequired": { "a": ["b"] } } => contained;
    { "type": "object" } <= { "dependentRequired": { "a": ["b"] } } => broken ("dependent-required" @ "b");
    { "type": "object", "required": ["b"] } <= { "dependentRequired": { "a": ["b"] } } => contained;
    { "type": "object", "properties": { "a": false } } <= { "dependentRequired": { "a": ["b", "c"] } } => contained;
    { "type": "object", "dependentRequired": { "a": ["b"], "b": ["c"] } } <= { "dependentRequired": { "a": ["c"] } } => contained;
    { "type": "object" } <= { "dependentSchemas": { "a": { "required": ["b"] } } } => broken ("condition-tightened" @ "$");
    { "type": "object", "dependentRequired": { "a": ["b"] } } <= { "dependentSchemas": { "a": { "required": ["b"] } } } => contained;
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "dependencies": { "a": ["b"], "c": { "minProperties": 2 } } } <= { "dependentRequired": { "a": ["b"] }, "dependentSchemas": { "c": { "minProperties": 2 } } } => contained;
    { "type": "object", "properties": { "a": {} }, "required": ["a"] } <= { "unevaluatedProperties": false } => broken ("property-refused" @ "a") ("property-refused" @ "*");
    { "allOf": [{ "properties": { "a": {} } }, { "properties": { "b": {} } }], "type": "object", "unevaluatedProperties": false } <= { "properties": { "a": {}, "b": {} }, "additionalProperties": false } => contained;
    { "type": "object", "properties": { "a": {}, "b": {} }, "additionalProperties": false } <= { "allOf": [{ "properties": { "a": {} } }], "unevaluatedProperties": false } => broken ("property-refused" @ "b");
    { "type": "object", "properties": { "a": {} }, "additionalProperties": false } <= { "allOf": [{ "properties": { "a": {} } }], "properties": { "b": {} }, "unevaluatedProperties": false } => contained;
    { "type": "object", "properties": { "k": { "const": 1 }, "a": {} }, "required": ["k"], "additionalProperties": false } <= { "if": { "properties": { "k": { "const": 1 } } }, "then": { "properties": { "a": {} } }, "unevaluatedProperties": false } => contained;
    { "type": "object", "properties": { "k": { "const": 2 }, "a": {} }, "required": ["k"], "additionalProperties": false } <= { "if": { "properties": { "k": { "const": 1 } } }, "then": { "properties": { "a": {} } }, "unevaluatedProperties": false } => broken ("property-refused" @ "a") ("property-refused" @ "k");
    { "type": "object", "properties": { "a": { "type": ["string", "null"] } } } <= { "properties": { "a": { "type": "string" } } } => broken ("type-narrowed" @ "a");
    { "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } }, "required": ["a"] } <= { "type": "object", "properties": { "a": { "enum": ["x"] }, "b": { "maxLength": 3 } }, "required": ["a", "b"] } => broken ("const-changed" @ "a") ("required-added" @ "b") ("length-tightened" @ "b");

    // `dependencies` is asserted in both drafts
    {} <= { "dependencies": { "a": ["b"] } } => broken ("dependent-required" @ "b");
    { "dependencies": { "a": ["b"] } } <= { "dependentRequired": { "a": ["b"] } } => contained;
    { "dependentRequired": { "a": ["b"] }, "dependencies": { "a": ["c"] } } <= { "dependencies": { "a": ["b", "c"] } } => contained;
    { "type": "object" } <= { "dependencies": { "a": { "required": ["b"] } } } => broken ("condition-tightened" @ "$");
    { "dependencies": { "a": { "required": ["b"] } } } <= { "dependentSchemas": { "a": { "required": ["b"] } } } => contained;
    { "type": "object", "properties": { "a": {}, "b": {} }, "dependencies": { "a": { "properties": { "b": {} } } } } <= { "dependencies": { "a": { "properties": { "b": {} } } }, "properties": { "a": {} }, "unevaluatedProperties": false } => broken ("property-refused" @ "*");
    { "$schema": "http://json-schema.org/draft-07/schema#" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "dependentRequired": { "a": ["b"] } } => contained;
    { "$schema": "http://json-schema.org/draft-07/schema#" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "dependencies": { "a": ["b"] } } => broken ("dependent-required" @ "b");
    { "type": "array" } <= { "additionalItems": false, "items": {} } => contained;
    { "type": "array" } <= { "additionalItems": false } => contained;
}
