//! Strings: length, pattern, format.

crate::table! {
    { "type": "string", "minLength": 3 } <= { "type": "string", "minLength": 2 } => contained;
    { "type": "string", "minLength": 2 } <= { "type": "string", "minLength": 3 } => broken ("length-tightened" @ "$");
    { "type": "string" } <= { "type": "string", "minLength": 1 } => broken ("length-tightened" @ "$");
    { "type": "string", "maxLength": 3 } <= { "type": "string", "maxLength": 4 } => contained;
    { "type": "string", "maxLength": 4 } <= { "type": "string", "maxLength": 3 } => broken ("length-tightened" @ "$");
    { "type": "string" } <= { "type": "string", "maxLength": 255 } => broken ("length-tightened" @ "$");
    { "type": "string", "maxLength": 0 } <= { "const": "" } => contained;
    { "type": "string", "minLength": 5, "maxLength": 4 } <= false => contained;
    { "type": "string", "pattern": "^[a-z]+$" } <= { "type": "string", "pattern": "^[a-z0-9]+$" } => contained;
    { "type": "string", "pattern": "^[a-z0-9]+$" } <= { "type": "string", "pattern": "^[a-z]+$" } => broken ("pattern-changed" @ "$");
    { "type": "string", "pattern": "^abc" } <= { "pattern": "b" } => contained;
    { "type": "string", "pattern": "b" } <= { "pattern": "^abc" } => broken ("pattern-changed" @ "$");
    { "type": "string", "pattern": "^[A-Z]{3}$" } <= { "minLength": 3, "maxLength": 3 } => contained;
    { "type": "string", "pattern": "^[A-Z]{3}$" } <= { "maxLength": 2 } => broken ("length-tightened" @ "$");
    { "enum": ["a", "bb"] } <= { "pattern": "^[ab]+$" } => contained;
    { "enum": ["a", "bc"] } <= { "pattern": "^[ab]+$" } => broken ("pattern-changed" @ "$");
    { "type": "string", "pattern": "^(EUR|USD)$" } <= { "enum": ["EUR", "USD", "CHF"] } => contained;
    { "type": "string", "pattern": "^(EUR|USD|GBP)$" } <= { "enum": ["EUR", "USD", "CHF"] } => broken ("enum-narrowed" @ "$");
    { "type": "string", "pattern": "^\\d+$" } <= { "pattern": "^[0-9]*$" } => contained;
    { "type": "string", "pattern": "^\\p{L}+$" } <= { "pattern": "^\\D+$" } => contained;
    { "type": "string", "pattern": "^(?!a)" } <= { "pattern": "^(?!a)" } => contained;
    { "type": "string", "pattern": "^(?!a)" } <= { "minLength": 1 } => broken ("length-tightened" @ "$");
    { "type": "string", "pattern": "^[b-z]+$" } <= { "pattern": "^(?!a)" } => unknown;
    { "type": "string", "maxLength": 3 } <= { "maxLength": 3, "pattern": "^.{0,3}$" } => broken ("pattern-changed" @ "$");
    { "type": "string", "format": "uuid" } <= { "type": "string" } => contained;
    { "type": "string" } <= { "type": "string", "format": "uuid" } => broken ("format-changed" @ "$");
    { "type": "string", "format": "date-time" } <= { "type": "string", "format": "date" } => broken ("format-changed" @ "$");
    { "type": "string", "format": "date" } <= { "type": "string", "format": "date" } => contained;
    { "type": "string", "format": "uuid" } <= { "type": "string", "maxLength": 36, "minLength": 36 } => contained;
    { "type": "string", "format": "uuid" } <= { "type": "string", "maxLength": 35 } => broken ("length-tightened" @ "$");
    { "type": "string", "format": "date" } <= { "type": "string", "pattern": "^\\d{4}-" } => contained;
    { "const": "2026-01-31" } <= { "format": "date" } => contained;
    { "const": "2026-02-31" } <= { "format": "date" } => broken ("format-changed" @ "$");
    { "type": "string", "format": "money" } <= { "type": "string", "format": "money" } => contained;
    { "type": "string", "format": "money" } <= { "type": "string" } => contained;
    { "type": "string" } <= { "type": "string", "format": "money" } => unknown;
    { "type": "string", "format": "money" } <= { "type": "string", "format": "amount" } => unknown;
    { "type": "string", "format": "money" } <= { "type": "integer" } => broken ("type-narrowed" @ "$");
    { "type": "string", "contentEncoding": "base64" } <= { "type": "string", "contentEncoding": "base32" } => contained;
    { "type": "string", "contentMediaType": "application/json" } <= { "type": "string" } => contained;

    // formats by what they match
    { "type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" } <= { "type": "string", "format": "uuid" } => contained;
    { "type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$" } <= { "format": "uuid" } => contained;
    { "type": "string", "pattern": "^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$" } <= { "format": "uuid" } => contained;
    { "type": "string", "pattern": "^[0-9a-g]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" } <= { "format": "uuid" } => broken ("format-changed" @ "$");
    { "type": "string", "format": "uuid" } <= { "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" } => broken ("pattern-changed" @ "$");
    { "type": "string", "pattern": "^2026-(0[1-9]|1[0-2])-0[1-9]$" } <= { "format": "date" } => contained;
    { "type": "string", "pattern": "^2026-[0-9]{2}-0[1-9]$" } <= { "format": "date" } => broken ("format-changed" @ "$");
    { "type": "string", "pattern": "^2026-0[1-9]-0[1-9]T12:00:00Z$" } <= { "format": "date-time" } => contained;
    { "type": "string", "pattern": "^10\\.0\\.0\\.[1-9]$" } <= { "format": "ipv4" } => contained;
    { "type": "string", "pattern": "^10\\.0\\.0\\.[1-9]$" } <= { "format": "ip" } => contained;
    { "type": "string", "format": "ipv4" } <= { "format": "ip" } => unknown;
    { "type": "string", "format": "partial-date-time" } <= { "format": "date-time" } => broken ("format-changed" @ "$");
    { "type": "string", "format": "date-time" } <= { "format": "partial-date-time" } => broken ("format-changed" @ "$");
    { "type": "string", "format": "zoned-date-time" } <= { "format": "date-time" } => broken ("format-changed" @ "$");
    { "type": "string", "format": "partial-time" } <= { "format": "time" } => broken ("format-changed" @ "$");
    { "type": "string" } <= { "format": "ip" } => broken ("format-changed" @ "$");
    { "type": "string", "format": "ip" } <= { "maxLength": 45 } => contained;
    { "type": "string", "format": "partial-time" } <= { "type": "string" } => contained;

    // content is asserted in draft-07 only: both keywords together
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "string", "contentMediaType": "application/json", "contentEncoding": "base64" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "contentMediaType": "application/json" } => broken ("format-changed" @ "$");
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "string", "contentMediaType": "application/json", "contentEncoding": "base64" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "contentEncoding": "base64" } => contained;
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "string", "contentMediaType": "application/json" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "contentMediaType": "application/json", "contentEncoding": "base64" } => broken ("format-changed" @ "$");
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "string", "contentEncoding": "base64" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "contentEncoding": "base32" } => broken ("format-changed" @ "$");
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "string" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "contentEncoding": "base64" } => broken ("format-changed" @ "$");
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "string" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "contentEncoding": "quoted-printable" } => contained;
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "string" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "contentMediaType": "text/html", "contentEncoding": "base64" } => contained;
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "string" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "contentMediaType": "application/json", "contentEncoding": "8bit" } => contained;
    { "$schema": "http://json-schema.org/draft-07/schema#", "type": "string", "contentMediaType": "application/json" } <= { "contentMediaType": "application/json" } => contained;
    { "type": "string", "contentMediaType": "application/json" } <= { "$schema": "http://json-schema.org/draft-07/schema#", "contentMediaType": "application/json" } => broken ("format-changed" @ "$");
}
