//! Reads one struct or enum of the sources: whether it derives `Event` or `EventSet`, and its
//! subject.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use event_sdk::Version;
use event_sdk::subject::grammar::two_words;
use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::meta::ParseNestedMeta;
use syn::parse::ParseBuffer;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Field, Fields, Ident, Item, ItemEnum, ItemStruct, LitStr, Meta, Token, Type, UseTree,
};

use super::{SourceEvent, UnsaidForm};

/// The name of the derive.
const EVENT: &str = "Event";

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) events: Vec<SourceEvent>,
    /// The names in the types of the fields, by the name of the type that has them.
    pub(super) uses: BTreeMap<String, BTreeSet<String>>,
    /// The fields whose form only a function knows, by the name of the type that has them.
    pub(super) unsaid: BTreeMap<String, Vec<UnsaidForm>>,
}

impl Found {
    /// `names` are what the derive is called where the struct stands.
    pub(super) fn look_at_struct(&mut self, item: &ItemStruct, names: &[String], file: &Path) {
        self.look_at_fields(&item.ident, &item.attrs, fields(&item.fields), file);
        let derives_event = names.iter().any(|name| derives(&item.attrs, name));
        if derives_event && item.attrs.iter().any(is_event) {
            self.events.extend(event(item, file));
        }
    }

    pub(super) fn look_at_enum(&mut self, item: &ItemEnum, file: &Path) {
        let all = item
            .variants
            .iter()
            .flat_map(|variant| fields(&variant.fields));
        self.look_at_fields(&item.ident, &item.attrs, all, file);
    }

    fn look_at_fields<'a>(
        &mut self,
        name: &Ident,
        attrs: &[Attribute],
        fields: impl Iterator<Item = &'a Field>,
        file: &Path,
    ) {
        let schema = derives(attrs, "JsonSchema");
        let name = name.unraw().to_string();
        let uses = self.uses.entry(name.clone()).or_default();
        let mut unsaid = Vec::new();
        for (index, field) in fields.enumerate() {
            names_in(&field.ty, uses);
            if schema && is_unsaid(field) {
                let ident = field.ident.as_ref().map(|ident| ident.unraw().to_string());
                unsaid.push(UnsaidForm {
                    ty: name.clone(),
                    field: ident.unwrap_or_else(|| index.to_string()),
                    // Known when all sources are.
                    events: Vec::new(),
                    file: file.to_owned(),
                    line: line_of(field),
                });
            }
        }
        if !unsaid.is_empty() {
            self.unsaid.entry(name).or_default().extend(unsaid);
        }
    }
}

/// What the derive of events is called among these items: by its name, and by those that it is
/// given (`use event_sdk::Event as DomainEvent`).
pub(super) fn names_of_event(items: &[Item]) -> Vec<String> {
    fn each(tree: &UseTree, names: &mut Vec<String>) {
        match tree {
            UseTree::Rename(rename) if rename.ident == EVENT => {
                names.push(rename.rename.unraw().to_string());
            }
            UseTree::Path(path) => each(&path.tree, names),
            UseTree::Group(group) => group.items.iter().for_each(|tree| each(tree, names)),
            _ => {}
        }
    }

    let mut names = vec![EVENT.to_owned()];
    for item in items {
        if let Item::Use(item) = item {
            each(&item.tree, &mut names);
        }
    }
    names
}

fn fields(fields: &Fields) -> impl Iterator<Item = &Field> {
    fields.iter()
}

fn line_of(field: &Field) -> usize {
    let span = match (&field.ident, &field.ty) {
        (Some(ident), _) => ident.span(),
        (None, ty) => syn::spanned::Spanned::span(ty),
    };
    span.start().line
}

fn is_event(attr: &Attribute) -> bool {
    attr.path().is_ident("event")
}

/// The event that the struct is; `None` if the derive itself refuses it.
fn event(item: &ItemStruct, file: &Path) -> Option<SourceEvent> {
    let mut texts = BTreeMap::new();
    let mut upcast_from = None;
    for attr in item.attrs.iter().filter(|attr| is_event(attr)) {
        let parsed = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("upcast_from") {
                let previous: Type = meta.value()?.parse()?;
                upcast_from = last_name(&previous);
            } else if let Some(key) = meta.path.get_ident() {
                let key = key.unraw().to_string();
                match meta.value().and_then(ParseBuffer::parse::<LitStr>) {
                    Ok(text) => drop(texts.insert(key, text.value())),
                    Err(_) => skip(&meta)?,
                }
            } else {
                skip(&meta)?;
            }
            Ok(())
        });
        parsed.ok()?;
    }
    let name = item.ident.unraw().to_string();
    let absolute = texts.contains_key("absolute");
    let subject = match texts.get("subject").or(texts.get("absolute")) {
        Some(subject) => subject.clone(),
        None => house_subject(&name, &texts)?,
    };
    let version = texts.get("version").map_or("1.0", String::as_str);
    Some(SourceEvent {
        version: version.parse::<Version>().ok()?,
        line: item.ident.span().start().line,
        file: file.to_owned(),
        name,
        subject,
        absolute,
        upcast_from,
    })
}

fn house_subject(name: &str, texts: &BTreeMap<String, String>) -> Option<String> {
    let (entity, action) = two_words(name).unzip();
    let part = |key: &str, default: Option<String>| texts.get(key).cloned().or(default);
    let (domain, entity) = (part("domain", None)?, part("entity", entity)?);
    Some(format!("{domain}.{entity}.{}", part("action", action)?))
}

/// Whether the item derives a trait of this name, whatever its path.
fn derives(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) if list.path.is_ident("derive") => names(&list.tokens, name),
        // `cfg_attr(condition, derive(…))`
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let rest = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            rest.is_ok_and(|rest| {
                rest.iter().any(|meta| match meta {
                    Meta::List(list) if list.path.is_ident("derive") => names(&list.tokens, name),
                    _ => false,
                })
            })
        }
        _ => false,
    })
}

/// Whether one of the paths in a list ends with `name`.
fn names(tokens: &TokenStream, name: &str) -> bool {
    let mut last = false;
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(ident) => last = ident == name,
            TokenTree::Punct(punct) if punct.as_char() == ',' && last => return true,
            _ => {}
        }
    }
    last
}

/// Whether a function writes the field, and nothing says in which form. (`with` alone does
/// not compile: schemars takes it for a type.)
fn is_unsaid(field: &Field) -> bool {
    let has = |attribute: &str, keys: &[&str]| {
        let mut found = false;
        for attr in field
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident(attribute))
        {
            let _ = attr.parse_nested_meta(|meta| {
                found |= keys.iter().any(|key| meta.path.is_ident(key));
                skip(&meta)
            });
        }
        found
    };
    has("serde", &["serialize_with"])
        && !has("schemars", &["with", "schema_with", "skip"])
        && !has("serde", &["skip"])
}

fn skip(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        meta.input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// The last name of a path.
fn last_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|last| last.ident.unraw().to_string()),
        _ => None,
    }
}

/// Puts all names in a type to `names`.
fn names_in(ty: &Type, names: &mut BTreeSet<String>) {
    fn each(tokens: TokenStream, names: &mut BTreeSet<String>) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => drop(names.insert(ident.unraw().to_string())),
                TokenTree::Group(group) => each(group.stream(), names),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    each(quote::ToTokens::to_token_stream(ty), names);
}
