//! Parses a value into `Node`s, with references resolved.

use std::collections::{BTreeMap, HashMap};

use num_rational::BigRational;
use serde_json::{Map, Value};

use super::format::content;
use super::index::{Index, Target, escape};
use super::node::{Node, NodeId};
use super::{Draft, SchemaError};
use crate::number;
use crate::types::TypeSet;

/// How many schemas may stand around each other that speak of the same value.
const MAX_IN_PLACE: usize = 128;

/// All schemas that are reached from a root, which is the first.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) draft: Draft,
}

impl Tree {
    pub(super) fn read(root: &Value, draft: Draft) -> Result<Self, SchemaError> {
        let mut reader = Reader {
            root,
            draft,
            index: Index::of(root, draft)?,
            ids: HashMap::new(),
            open: Vec::new(),
            count: 0,
        };
        reader.id(String::new());
        let mut nodes = Vec::new();
        // Ids are given in the order in which pointers are queued.
        while let Some(pointer) = reader.open.get(nodes.len()).cloned() {
            nodes.push(reader.node(pointer)?);
        }
        let tree = Tree { nodes, draft };
        tree.refuse_cycles()?;
        Ok(tree)
    }

    /// The root, which was read first.
    pub(crate) fn root() -> NodeId {
        0
    }

    /// Refuses a schema that refers to itself for the same value, and one whose chain of
    /// such references is too long to be followed.
    fn refuse_cycles(&self) -> Result<(), SchemaError> {
        let mut height: Vec<Option<usize>> = vec![None; self.nodes.len()];
        for start in 0..self.nodes.len() {
            let mut stack = vec![(start, self.nodes[start].in_place().collect::<Vec<_>>())];
            while let Some((at, todo)) = stack.last_mut() {
                let at = *at;
                let Some(next) = todo.pop() else {
                    let below = self.nodes[at].in_place().filter_map(|id| height[id]).max();
                    let own = below.map_or(0, |below| below + 1);
                    if own > MAX_IN_PLACE {
                        return Err(SchemaError::TooDeep {
                            limit: MAX_IN_PLACE,
                        });
                    }
                    height[at] = Some(own);
                    stack.pop();
                    continue;
                };
                if let Some(entry) = stack.iter().position(|(id, _)| *id == next) {
                    let culprit = stack[entry..]
                        .iter()
                        .map(|(id, _)| &self.nodes[*id])
                        .find(|node| !node.references.is_empty());
                    return Err(SchemaError::CyclicRef {
                        pointer: culprit.map(|node| node.pointer.clone()).unwrap_or_default(),
                        reference: culprit
                            .and_then(|node| node.reference_text.clone())
                            .unwrap_or_default(),
                    });
                }
                if height[next].is_none() {
                    stack.push((next, self.nodes[next].in_place().collect()));
                }
            }
        }
        Ok(())
    }
}

struct Reader<'a> {
    root: &'a Value,
    draft: Draft,
    index: Index,
    ids: HashMap<String, NodeId>,
    open: Vec<String>,
    count: usize,
}

impl Reader<'_> {
    /// The id of the node at a pointer, which is read later if it was not yet.
    fn id(&mut self, pointer: String) -> NodeId {
        if let Some(id) = self.ids.get(&pointer) {
            return *id;
        }
        let id = self.count;
        self.count += 1;
        self.ids.insert(pointer.clone(), id);
        self.open.push(pointer);
        id
    }

    fn node(&mut self, pointer: String) -> Result<Node, SchemaError> {
        let root = self.root;
        let mut node = Node {
            pointer,
            ..Node::default()
        };
        let keywords = match root.pointer(&node.pointer) {
            Some(Value::Bool(all)) => {
                node.boolean = Some(*all);
                return Ok(node);
            }
            Some(Value::Object(keywords)) => keywords,
            _ => {
                return Err(SchemaError::NotASchema {
                    pointer: node.pointer,
                    why: "a schema is an object or a boolean".to_owned(),
                });
            }
        };
        for keyword in ["$ref", "$dynamicRef"] {
            if let Some(reference) = keywords.get(keyword).and_then(Value::as_str)
                && (keyword == "$ref" || self.draft == Draft::Draft202012)
            {
                let target = self.follow(&node.pointer, reference, keyword)?;
                node.references.push(self.id(target));
                node.reference_text = Some(reference.to_owned());
            }
        }
        if self.draft == Draft::Draft7 && !node.references.is_empty() {
            return Ok(node);
        }
        self.values(&mut node, keywords)?;
        self.subschemas(&mut node, keywords);
        Ok(node)
    }

    fn follow(
        &mut self,
        pointer: &str,
        reference: &str,
        keyword: &str,
    ) -> Result<String, SchemaError> {
        let (pointer_owned, reference_owned) = (pointer.to_owned(), reference.to_owned());
        if keyword == "$dynamicRef" && !self.index.is_static(reference) {
            return Err(SchemaError::DynamicRef {
                pointer: pointer_owned,
                reference: reference_owned,
            });
        }
        match self.index.resolve(self.root, pointer, reference) {
            Target::At(target) => {
                if !self.index.knows(&target)
                    && let Some(schema) = self.root.pointer(&target)
                {
                    // A place that no keyword of schemas leads to, so nobody looked at it yet.
                    super::check_meta(schema, self.draft, &target)?;
                    let base = self.index.base(&target).to_owned();
                    self.index.walk(schema, target.clone(), base, self.draft)?;
                }
                Ok(target)
            }
            Target::Missing => Err(SchemaError::MissingRef {
                pointer: pointer_owned,
                reference: reference_owned,
            }),
            Target::Remote => Err(SchemaError::RemoteRef {
                pointer: pointer_owned,
                reference: reference_owned,
            }),
        }
    }

    /// The keywords that hold no schemas.
    fn values(&self, node: &mut Node, keywords: &Map<String, Value>) -> Result<(), SchemaError> {
        node.types = keywords.get("type").map(types);
        node.enumeration = keywords.get("enum").and_then(Value::as_array).cloned();
        node.constant = keywords.get("const").cloned();
        node.multiple_of = exact(node, keywords, "multipleOf")?;
        node.minimum = exact(node, keywords, "minimum")?;
        node.maximum = exact(node, keywords, "maximum")?;
        node.exclusive_minimum = exact(node, keywords, "exclusiveMinimum")?;
        node.exclusive_maximum = exact(node, keywords, "exclusiveMaximum")?;
        node.min_length = count(keywords, "minLength");
        node.max_length = count(keywords, "maxLength");
        node.pattern = text(keywords, "pattern");
        node.format = text(keywords, "format");
        if self.draft == Draft::Draft7 {
            node.content = content(keywords);
        }
        node.min_items = count(keywords, "minItems");
        node.max_items = count(keywords, "maxItems");
        node.unique_items = keywords.get("uniqueItems") == Some(&Value::Bool(true));
        node.min_properties = count(keywords, "minProperties");
        node.max_properties = count(keywords, "maxProperties");
        node.required = keywords.get("required").map(names).unwrap_or_default();
        if self.draft == Draft::Draft202012 {
            node.min_contains = count(keywords, "minContains");
            node.max_contains = count(keywords, "maxContains");
        }
        let dependencies: &[&str] = match self.draft {
            Draft::Draft7 => &["dependencies"],
            Draft::Draft202012 => &["dependentRequired", "dependencies"],
        };
        for keyword in dependencies {
            let members = keywords.get(*keyword).and_then(Value::as_object);
            for (name, needs) in members.into_iter().flatten() {
                if needs.is_array() {
                    let all = node.dependent_required.entry(name.clone()).or_default();
                    all.extend(names(needs));
                }
            }
        }
        Ok(())
    }

    /// The keywords that hold schemas.
    fn subschemas(&mut self, node: &mut Node, keywords: &Map<String, Value>) {
        let at = node.pointer.clone();
        node.contains = self.one(&at, keywords, "contains");
        node.property_names = self.one(&at, keywords, "propertyNames");
        node.additional_properties = self.one(&at, keywords, "additionalProperties");
        node.not = self.one(&at, keywords, "not");
        node.condition = self.one(&at, keywords, "if");
        node.then = self.one(&at, keywords, "then");
        node.otherwise = self.one(&at, keywords, "else");
        node.all_of = self.many(&at, keywords, "allOf");
        node.any_of = self.many(&at, keywords, "anyOf");
        node.one_of = self.many(&at, keywords, "oneOf");
        node.properties = self.named(&at, keywords, "properties");
        node.pattern_properties = self.named(&at, keywords, "patternProperties");
        match self.draft {
            Draft::Draft7 => {
                if keywords.get("items").is_some_and(Value::is_array) {
                    node.prefix_items = self.many(&at, keywords, "items");
                    node.items = self.one(&at, keywords, "additionalItems");
                } else {
                    node.items = self.one(&at, keywords, "items");
                }
                node.dependent_schemas = self.named(&at, keywords, "dependencies");
            }
            Draft::Draft202012 => {
                node.prefix_items = self.many(&at, keywords, "prefixItems");
                node.items = self.one(&at, keywords, "items");
                node.dependent_schemas = self.named(&at, keywords, "dependentSchemas");
                node.dependencies = self.named(&at, keywords, "dependencies");
                node.unevaluated_items = self.one(&at, keywords, "unevaluatedItems");
                node.unevaluated_properties = self.one(&at, keywords, "unevaluatedProperties");
            }
        }
    }

    fn one(&mut self, at: &str, keywords: &Map<String, Value>, keyword: &str) -> Option<NodeId> {
        keywords
            .contains_key(keyword)
            .then(|| self.id(format!("{at}/{keyword}")))
    }

    fn many(&mut self, at: &str, keywords: &Map<String, Value>, keyword: &str) -> Vec<NodeId> {
        let items = keywords
            .get(keyword)
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        (0..items)
            .map(|index| self.id(format!("{at}/{keyword}/{index}")))
            .collect()
    }

    fn named(
        &mut self,
        at: &str,
        keywords: &Map<String, Value>,
        keyword: &str,
    ) -> BTreeMap<String, NodeId> {
        let Some(members) = keywords.get(keyword).and_then(Value::as_object) else {
            return BTreeMap::new();
        };
        members
            .iter()
            .filter(|(_, member)| !member.is_array())
            .map(|(name, _)| {
                (
                    name.clone(),
                    self.id(format!("{at}/{keyword}/{}", escape(name))),
                )
            })
            .collect()
    }
}

fn types(value: &Value) -> TypeSet {
    let mut types = TypeSet::NONE;
    match value {
        Value::Array(all) => {
            for name in all.iter().filter_map(Value::as_str) {
                types.insert_named(name);
            }
        }
        Value::String(name) => {
            types.insert_named(name);
        }
        _ => {}
    }
    types
}

fn names(value: &Value) -> Vec<String> {
    let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn text(keywords: &Map<String, Value>, keyword: &str) -> Option<String> {
    keywords
        .get(keyword)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// A count; one that no computer could reach is as good as the largest.
fn count(keywords: &Map<String, Value>, keyword: &str) -> Option<u64> {
    let number = keywords.get(keyword)?.as_number()?;
    number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and not negative by the meta-schema; the cast saturates"
        )]
        Some(float as u64)
    })
}

fn exact(
    node: &Node,
    keywords: &Map<String, Value>,
    keyword: &str,
) -> Result<Option<BigRational>, SchemaError> {
    let Some(number) = keywords.get(keyword).and_then(Value::as_number) else {
        return Ok(None);
    };
    match number::exact(number) {
        Some(exact) => Ok(Some(exact)),
        None => Err(SchemaError::NumberTooLarge {
            pointer: format!("{}/{keyword}", node.pointer),
        }),
    }
}
