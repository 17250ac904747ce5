//! Checks subjects, patterns, tokens and event types in attributes, and words the error for the
//! user.

use event_sdk_subject::{
    Fault, FaultKind, MAX_RELATIVE_LEN, MAX_TOKEN_LEN, MAX_TYPE_LEN, check_event_type,
    check_pattern, check_relative, check_subject, check_token,
};
use syn::LitStr;

use crate::ctxt::Ctxt;

/// The longest relative pattern: a relative subject and a key.
const MAX_PATTERN_LEN: usize = MAX_RELATIVE_LEN + 1 + MAX_TOKEN_LEN;

/// Checks one token of a subject, the value of `key`.
pub(crate) fn token(key: &str, literal: &LitStr, ctxt: &Ctxt) {
    let text = literal.value();
    let Err(fault) = check_token(&text) else {
        return;
    };
    let advice = match fault.kind {
        FaultKind::Empty => format!("`{key}` is empty; write one token, such as `order`"),
        FaultKind::TokenTooLong => format!(
            "`{key}` is {} bytes long, and a token has at most {MAX_TOKEN_LEN}; shorten it",
            text.len()
        ),
        FaultKind::Dot => format!(
            "`{key}` is one token and has no `.`; a subject of another shape is written whole: `subject = \"…\"`"
        ),
        _ => format!(
            "{}{}",
            complaint("a token", &text, fault),
            house_form(&text)
        ),
    };
    ctxt.error(literal, advice);
}

/// Checks the type of an event whose whole subject is written out: any text, since
/// foreign systems name their types as they like.
pub(crate) fn foreign_event_type(literal: &LitStr, ctxt: &Ctxt) {
    let text = literal.value();
    let message = match check_event_type(&text) {
        Ok(()) => return,
        Err(fault) if fault.kind == FaultKind::Empty => {
            "an event type has at least one character; write what the envelope's `event_type` says"
                .to_owned()
        }
        Err(fault) if fault.kind == FaultKind::TooLong => format!(
            "this event type is {} bytes long, and it has at most {MAX_TYPE_LEN}; shorten it",
            text.len()
        ),
        Err(fault) => format!(
            "{} is not an event type: {}; remove the one at byte {}",
            shorten(&text),
            fault.kind.explain(),
            fault.at
        ),
    };
    ctxt.error(literal, message);
}

/// Checks an event type of the house: tokens joined by dots.
pub(crate) fn event_type(literal: &LitStr, ctxt: &Ctxt) {
    let text = literal.value();
    if let Err(fault) = check_relative(&text) {
        let message = complaint("an event type", &text, fault);
        let foreign = if fault.kind == FaultKind::NotHouse {
            " (any text is allowed beside `subject` and `absolute` only)"
        } else {
            ""
        };
        ctxt.error(literal, message + &house_form(&text) + foreign);
    }
}

/// Checks a whole subject.
pub(crate) fn subject(literal: &LitStr, ctxt: &Ctxt) {
    let text = literal.value();
    if let Err(fault) = check_subject(&text) {
        ctxt.error(literal, complaint("a subject", &text, fault));
    } else if text.len() > MAX_RELATIVE_LEN {
        ctxt.error(literal, too_long("this subject", text.len()));
    }
}

/// That a subject is longer than a bus takes.
pub(crate) fn too_long(what: &str, len: usize) -> String {
    format!(
        "{what} is {len} bytes long, and at most {MAX_RELATIVE_LEN} fit beside a bus's prefix and a key; shorten it"
    )
}

/// Checks a relative pattern.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn pattern(literal: &LitStr) -> syn::Result<()> {
    let text = literal.value();
    let message = match check_pattern(&text) {
        Err(fault) => complaint("a pattern", &text, fault),
        Ok(()) if text.len() > MAX_PATTERN_LEN => format!(
            "this pattern is {} bytes long, and no subject under a bus's prefix has more than {MAX_PATTERN_LEN}; shorten it",
            text.len()
        ),
        Ok(()) => return Ok(()),
    };
    Err(syn::Error::new_spanned(literal, message))
}

/// "`Orders` is not …: reason", which names the token if there are several.
fn complaint(what: &str, text: &str, fault: Fault) -> String {
    let reason = fault.kind.explain();
    match fault.kind {
        FaultKind::Empty => return format!("{what} has at least one token; write one"),
        FaultKind::TooLong | FaultKind::TokenTooLong => {
            return format!("this is not {what}: {reason}; shorten it");
        }
        _ => {}
    }
    let shown = shorten(text);
    let (number, token) = token_at(text, fault.at);
    if token.is_empty() {
        let place = if fault.at == 0 {
            "the first".to_owned()
        } else if fault.at == text.len() {
            "the last".to_owned()
        } else {
            format!("number {number}")
        };
        format!("{shown} is not {what}: {reason} (the empty one is {place})")
    } else if token.len() == text.len() {
        format!("{shown} is not {what}: {reason}")
    } else {
        format!(
            "{shown} is not {what}: {reason} (see the token {})",
            shorten(token)
        )
    }
}

/// The token around the byte `at`, and its number from 1.
fn token_at(text: &str, at: usize) -> (usize, &str) {
    let mut start = 0;
    for (index, token) in text.split('.').enumerate() {
        if at <= start + token.len() {
            return (index + 1, token);
        }
        start += token.len() + 1;
    }
    (1, text)
}

fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// "; write `…`": the text by the house grammar, if lower case and `_` make it so.
fn house_form(text: &str) -> String {
    let mut house = String::new();
    let mut before = '.';
    for c in text.chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            house.push('_');
        }
        house.push(if c.is_whitespace() || c == '/' || c == ':' {
            '_'
        } else {
            c.to_ascii_lowercase()
        });
        before = c;
    }
    if check_relative(&house).is_ok() {
        format!("; write `{house}`")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{house_form, pattern, shorten, token_at};

    fn said(text: &str) -> String {
        let literal = syn::LitStr::new(text, proc_macro2::Span::call_site());
        pattern(&literal).unwrap_err().to_string()
    }

    #[test]
    fn names_the_token() {
        assert_eq!(token_at("a.bc.d", 0), (1, "a"));
        assert_eq!(token_at("a.bc.d", 3), (2, "bc"));
        assert_eq!(token_at("a..d", 2), (2, ""));
        assert_eq!(token_at("a.", 2), (2, ""));
        assert!(said("orders.pla*.x").contains("see the token `pla*`"));
        assert!(said("orders..x").contains("the empty one is number 2"));
        assert!(said("orders.").contains("the empty one is the last"));
        assert!(said(".orders").contains("the empty one is the first"));
    }

    #[test]
    fn offers_the_house_form() {
        assert_eq!(house_form("OrderItems"), "; write `order_items`");
        assert_eq!(house_form("order item"), "; write `order_item`");
        assert_eq!(house_form("größe"), "");
    }

    #[test]
    fn shortens_at_characters() {
        assert_eq!(shorten("a\nb"), "`a\\nb`");
        assert_eq!(shorten(&"ä".repeat(61)), format!("`{}…`", "ä".repeat(60)));
    }

    #[test]
    fn a_pattern_has_a_length() {
        let long = vec!["a".repeat(200); 3].join(".");
        assert!(said(&long).contains("602 bytes"));
    }
}
