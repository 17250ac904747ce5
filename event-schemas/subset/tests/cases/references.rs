//! References: `$ref`, `$defs`, `$anchor`, `$id`, `$dynamicRef`, recursion.

crate::table! {
    { "$ref": "#/$defs/n", "$defs": { "n": { "type": "integer" } } } <= { "type": "number" } => contained;
    { "type": "number" } <= { "$ref": "#/$defs/n", "$defs": { "n": { "type": "integer" } } } => broken ("type-narrowed" @ "$");
    { "$ref": "#/$defs/n", "minimum": 3, "$defs": { "n": { "type": "integer" } } } <= { "type": "integer", "minimum": 3 } => contained;
    { "$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/n", "minimum": 3, "definitions": { "n": { "type": "integer" } } } <= { "type": "integer", "minimum": 3 } => broken ("bound-tightened" @ "$");
    { "$ref": "#num", "$defs": { "n": { "$anchor": "num", "type": "integer" } } } <= { "type": "integer" } => contained;
    { "$id": "https://example.com/a.json", "$ref": "b.json", "$defs": { "b": { "$id": "b.json", "type": "integer" } } } <= { "type": "integer" } => contained;
    { "$id": "https://example.com/a.json", "$ref": "https://example.com/b.json#/$defs/c", "$defs": { "b": { "$id": "b.json", "$defs": { "c": { "type": "integer" } } } } } <= { "type": "integer" } => contained;
    { "$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#num", "definitions": { "n": { "$id": "#num", "type": "integer" } } } <= { "type": "integer" } => contained;
    { "$dynamicRef": "#n", "$defs": { "n": { "$dynamicAnchor": "n", "type": "integer" } } } <= { "type": "integer" } => contained;
    { "$ref": "#/components/a~1b%25", "components": { "a/b%": { "type": "integer" } } } <= { "type": "integer" } => contained;
    { "type": "object", "properties": { "p": { "$ref": "#/$defs/a" }, "q": { "$ref": "#/$defs/a" } }, "$defs": { "a": { "type": "string" } } } <= { "properties": { "p": { "$ref": "#/$defs/a" }, "q": { "$ref": "#/$defs/a" } }, "$defs": { "a": { "maxLength": 3 } } } => broken ("length-tightened" @ "p") ("length-tightened" @ "q");

    // lists and trees
    { "type": "object", "properties": { "v": { "type": "integer" }, "next": { "$ref": "#" } }, "required": ["v"] } <= { "type": "object", "properties": { "v": { "type": "number" }, "next": { "$ref": "#" } }, "required": ["v"] } => contained;
    { "type": "object", "properties": { "v": { "type": "number" }, "next": { "$ref": "#" } }, "required": ["v"] } <= { "type": "object", "properties": { "v": { "type": "integer" }, "next": { "$ref": "#" } }, "required": ["v"] } => broken ("type-narrowed" @ "v");
    { "type": "object", "properties": { "v": { "type": "integer" }, "next": { "$ref": "#" } } } <= { "type": "object", "properties": { "v": { "type": "integer" }, "next": { "type": "object", "properties": { "next": { "required": ["v"] } } } } } => broken ("required-added" @ "next.next.v");
    { "$ref": "#/$defs/tree", "$defs": { "tree": { "type": "object", "properties": { "children": { "type": "array", "items": { "$ref": "#/$defs/tree" } } } } } } <= { "$ref": "#/$defs/node", "$defs": { "node": { "properties": { "children": { "items": { "$ref": "#/$defs/node" } } } } } } => contained;
    { "$ref": "#/$defs/tree", "$defs": { "tree": { "type": "object", "properties": { "children": { "type": "array", "items": { "$ref": "#/$defs/tree" } } } } } } <= { "$ref": "#/$defs/node", "$defs": { "node": { "properties": { "children": { "maxItems": 2, "items": { "$ref": "#/$defs/node" } } } } } } => broken ("item-count-tightened" @ "children");
    { "$ref": "#/$defs/a", "$defs": { "a": { "type": "object", "properties": { "b": { "$ref": "#/$defs/b" } } }, "b": { "type": "object", "properties": { "a": { "$ref": "#/$defs/a" } } } } } <= { "$ref": "#/$defs/x", "$defs": { "x": { "type": "object", "additionalProperties": { "$ref": "#/$defs/x" } } } } => broken ("type-narrowed" @ "b.*") ("type-narrowed" @ "*");
    // no document is finite: nothing is written
    { "type": "object", "properties": { "next": { "$ref": "#" } }, "required": ["next"] } <= false => contained;
    { "type": "array", "items": { "$ref": "#" }, "minItems": 1 } <= { "type": "string" } => contained;
    { "type": "array", "items": { "$ref": "#" } } <= { "maxItems": 0 } => broken ("item-count-tightened" @ "$");
}
