//! Assembles the page: inlines script and style with their hashes in the content security
//! policy, and escapes the data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

const TEMPLATE: &str = include_str!("page.html");

const STYLE: &str = include_str!("style.css");

/// In the order in which each uses those above it.
const SCRIPTS: [&str; 9] = [
    include_str!("script/dom.js"),
    include_str!("script/catalogue.js"),
    include_str!("script/schema.js"),
    include_str!("script/changes.js"),
    include_str!("script/fields.js"),
    include_str!("script/flow.js"),
    include_str!("script/search.js"),
    include_str!("script/views.js"),
    include_str!("script/main.js"),
];

/// The page with these data, and a document in AsyncAPI that can be saved from it.
pub(super) fn page(title: &str, data: &impl Serialize, asyncapi: &impl Serialize) -> String {
    let script = format!("'use strict';\n(() => {{\n{}}})();\n", SCRIPTS.concat());
    fill(TEMPLATE, |name| match name {
        "title" => text(title),
        "style" => STYLE.to_owned(),
        "style-hash" => hash(STYLE),
        "script-hash" => hash(&script),
        "script" => script.clone(),
        "data" => json(data),
        "asyncapi" => json(asyncapi),
        _ => String::new(),
    })
}

/// Puts values in the place of `{{name}}`. What a value says is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut parts = template.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        filled.push_str(&value(name));
        filled.push_str(rest);
    }
    filled
}

/// As the Content-Security-Policy names an element's text.
fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

/// A text in HTML, also in an attribute.
fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON that is safe within a `script` element: it has no `<`, with which alone the element could
/// be ended or a comment begun.
fn json(data: &impl Serialize) -> String {
    // Keys are texts and memory has room: there is no way to fail.
    let json = serde_json::to_string(data).unwrap_or_default();
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_not_filled_again() {
        let filled = fill("{{a}} and {{b}}", |name| match name {
            "a" => "{{b}}".to_owned(),
            _ => "2".to_owned(),
        });
        assert_eq!(filled, "{{b}} and 2");
    }

    #[test]
    fn no_text_becomes_markup() {
        let hostile = "</script><img src=x onerror=alert(1)>{{script}}";
        let page = page(hostile, &hostile, &hostile);
        assert!(!page.contains("<img"), "{page}");
        assert_eq!(page.matches("</script>").count(), 3);
        assert_eq!(page.matches("use strict").count(), 1);
        let start = page.find("id=\"catalogue\">").unwrap() + "id=\"catalogue\">".len();
        let data = page[start..].split("</script>").next().unwrap();
        assert_eq!(serde_json::from_str::<String>(data).unwrap(), hostile);
    }

    #[test]
    fn the_policy_names_the_script_and_the_style_as_they_are() {
        let page = page("Shop", &(), &());
        let between = |start: &str, end: &str| {
            let from = page.rfind(start).unwrap() + start.len();
            page[from..].split(end).next().unwrap()
        };
        let (script, style) = (
            between("<script>", "</script>"),
            between("<style>", "</style>"),
        );
        assert!(page.contains(&format!("script-src 'sha256-{}'", hash(script))));
        assert!(page.contains(&format!("style-src 'sha256-{}'", hash(style))));
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn nothing_of_the_page_leads_out_of_it() {
        let page = page("Shop", &(), &());
        // The name of SVG is the only address, and nothing is loaded by another way.
        let addresses = page.matches("http:").count() + page.matches("https:").count();
        assert_eq!(
            addresses,
            page.matches("http://www.w3.org/2000/svg").count()
        );
        for loads in [" src=", "url(", "@import", "<link"] {
            assert!(!page.contains(loads), "{loads}");
        }
    }
}
