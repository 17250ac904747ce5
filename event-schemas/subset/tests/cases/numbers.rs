//! Numbers: types, bounds, multiples, formats.

crate::table! {
    { "type": "integer" } <= { "type": "number" } => contained;
    { "type": "number" } <= { "type": "integer" } => broken ("type-narrowed" @ "$");
    { "type": "integer" } <= { "type": ["integer", "null"] } => contained;
    { "type": ["integer", "null"] } <= { "type": "integer" } => broken ("type-narrowed" @ "$");
    { "type": "integer" } <= { "type": "string" } => broken ("type-narrowed" @ "$");
    { "type": "integer" } <= { "type": "number", "multipleOf": 1 } => contained;
    { "type": "number", "multipleOf": 1 } <= { "type": "integer" } => contained;
    { "type": "number", "multipleOf": 2.0 } <= { "type": "integer" } => contained;
    { "minimum": 1 } <= { "minimum": 0 } => contained;
    { "minimum": 0 } <= { "minimum": 1 } => broken ("bound-tightened" @ "$");
    { "minimum": 0 } <= { "exclusiveMinimum": 0 } => broken ("bound-tightened" @ "$");
    { "exclusiveMinimum": 0 } <= { "minimum": 0 } => contained;
    { "type": "integer", "exclusiveMinimum": 0 } <= { "minimum": 1 } => contained;
    { "type": "number", "exclusiveMinimum": 0 } <= { "minimum": 1 } => broken ("bound-tightened" @ "$");
    { "maximum": 5 } <= { "maximum": 10 } => contained;
    { "maximum": 10 } <= { "maximum": 5 } => broken ("bound-tightened" @ "$");
    { "maximum": 10 } <= { "exclusiveMaximum": 10 } => broken ("bound-tightened" @ "$");
    { "type": "integer", "maximum": 9.5 } <= { "exclusiveMaximum": 10 } => contained;
    { "type": "number" } <= { "minimum": 0, "maximum": 9 } => broken ("bound-tightened" @ "$");
    { "type": "integer", "minimum": 0, "maximum": 255 } <= { "type": "integer", "minimum": 0, "maximum": 65535 } => contained;
    { "type": "integer", "minimum": 3, "maximum": 3 } <= { "const": 3 } => contained;
    { "type": "number", "minimum": 3, "maximum": 3 } <= { "const": 3.0 } => contained;
    { "type": "integer", "minimum": 1, "maximum": 3 } <= { "enum": [1, 2, 3] } => contained;
    { "type": "integer", "minimum": 1, "maximum": 4 } <= { "enum": [1, 2, 3] } => broken ("enum-narrowed" @ "$");
    { "minimum": 5, "maximum": 4, "type": "number" } <= false => contained;
    { "multipleOf": 4 } <= { "multipleOf": 2 } => contained;
    { "multipleOf": 2 } <= { "multipleOf": 4 } => broken ("multiple-of-changed" @ "$");
    { "multipleOf": 0.3 } <= { "multipleOf": 0.1 } => contained;
    { "multipleOf": 0.1 } <= { "multipleOf": 0.3 } => broken ("multiple-of-changed" @ "$");
    { "multipleOf": 1.5 } <= { "multipleOf": 0.5 } => contained;
    { "allOf": [{ "multipleOf": 2 }, { "multipleOf": 3 }] } <= { "multipleOf": 6 } => contained;
    { "multipleOf": 0.01 } <= { "type": ["number", "string", "null", "boolean", "array", "object"] } => contained;
    { "type": "integer", "multipleOf": 7, "minimum": 1, "maximum": 6 } <= false => contained;
    { "type": "integer", "maximum": 9_007_199_254_740_993_u64 } <= { "maximum": 9_007_199_254_740_992_u64 } => broken ("bound-tightened" @ "$");
    { "type": "integer", "maximum": 18_446_744_073_709_551_615_u64 } <= { "maximum": 1e300 } => contained;
    { "type": "integer", "format": "uint32", "minimum": 0 } <= { "type": "integer", "format": "uint64", "minimum": 0 } => contained;
    { "type": "integer", "format": "uint64", "minimum": 0 } <= { "type": "integer", "format": "uint32", "minimum": 0 } => broken ("bound-tightened" @ "$");
    { "type": "integer", "format": "uint32" } <= { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u64 } => contained;
    { "type": "number", "format": "float" } <= { "type": "number", "format": "double" } => contained;

    // beyond 64 bits
    { "type": "number" } <= { "minimum": -9_223_372_036_854_775_808_i64 } => broken ("bound-tightened" @ "$");
    { "type": "number" } <= { "maximum": 18_446_744_073_709_551_615_u64 } => broken ("bound-tightened" @ "$");
    { "type": "number" } <= { "maximum": 9_223_372_036_854_775_807_i64 } => broken ("bound-tightened" @ "$");
    { "type": "integer" } <= { "minimum": -9_223_372_036_854_775_808_i64 } => broken ("bound-tightened" @ "$");
    { "type": "integer" } <= { "type": "integer", "format": "int64" } => broken ("bound-tightened" @ "$");
    { "type": "integer" } <= { "type": "integer", "format": "uint64" } => broken ("bound-tightened" @ "$");
    { "type": "number", "format": "double" } <= { "type": "integer", "format": "int64" } => broken ("type-narrowed" @ "$") ("bound-tightened" @ "$");
    { "type": "number", "minimum": -1e30 } <= { "minimum": -1e25 } => broken ("bound-tightened" @ "$");
    { "type": "number", "maximum": 0, "exclusiveMaximum": -9_223_372_036_854_775_808_i64 } <= { "minimum": 0 } => broken ("bound-tightened" @ "$");
    { "type": "integer", "multipleOf": 7 } <= { "minimum": -9_223_372_036_854_775_808_i64 } => broken ("bound-tightened" @ "$");
}
