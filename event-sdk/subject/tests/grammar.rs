//! The grammar against a reference implementation that checks token by token.

use event_sdk_subject::{
    Fault, FaultKind, MAX_PREFIX_LEN, MAX_RELATIVE_LEN, MAX_SUBJECT_LEN, MAX_TOKEN_LEN,
    MAX_TYPE_LEN, check_event_type, check_pattern, check_prefix, check_relative, check_subject,
    check_token, is_unseen, two_words,
};
use proptest::prelude::*;

fn house_token(token: &str) -> bool {
    !token.is_empty()
        && token
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}

fn house(text: &str, max: usize) -> bool {
    text.len() <= max && text.split('.').all(house_token)
}

/// What nobody sees, by the tables of the standard library and a list of the rest.
fn unseen(c: char) -> bool {
    const FORMAT: &[char] = &[
        '\u{ad}', '\u{61c}', '\u{180e}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}',
        '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{feff}',
        '\u{fff9}', '\u{fffa}', '\u{fffb}',
    ];
    c.is_whitespace()
        || c.is_control()
        || FORMAT.contains(&c)
        || ('\u{2060}'..='\u{206f}').contains(&c)
        || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

fn nats_literal(token: &str) -> bool {
    let bad = |c: char| unseen(c) || c == '*' || c == '>';
    !token.is_empty() && token.len() <= MAX_TOKEN_LEN && !token.chars().any(bad)
}

fn reserved(text: &str) -> bool {
    let first = text.split('.').next().unwrap_or_default();
    let advisory = text == "$JS.EVENT.ADVISORY" || text.starts_with("$JS.EVENT.ADVISORY.");
    (first.starts_with('$') && !advisory) || ["_INBOX", "_R_", "_GR_"].contains(&first)
}

fn subject(text: &str) -> bool {
    text.len() <= MAX_SUBJECT_LEN && !reserved(text) && text.split('.').all(nats_literal)
}

fn pattern(text: &str) -> bool {
    let tokens: Vec<&str> = text.split('.').collect();
    let wild = |(index, token): (usize, &&str)| {
        *token == "*" || (*token == ">" && index + 1 == tokens.len()) || nats_literal(token)
    };
    text.len() <= MAX_SUBJECT_LEN && !reserved(text) && tokens.iter().enumerate().all(wild)
}

fn event_type(text: &str) -> bool {
    let bad = |c: char| {
        c.is_control() || c == '\u{2028}' || c == '\u{2029}' || (unseen(c) && !c.is_whitespace())
    };
    !text.is_empty() && text.len() <= MAX_TYPE_LEN && !text.chars().any(bad)
}

fn text() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        4 => "[a-z0-9_-]{1,6}",
        2 => "[ -~]{0,4}",
        2 => prop::sample::select(vec!["*", ">", "", "$JS", "$JS.EVENT.ADVISORY", "$JS.EVENT.ADVISORYX", "_INBOX", "_R_", "_GR_", "_INBOXES", "ä", "a*", "\u{85}", "\u{c}", "\u{7f}", "\u{b}", "a\u{a0}b", "\u{3000}", "\u{2028}", "\u{9b}", "\u{202e}", "\u{feff}", "a\u{200b}", "\u{e0041}", "\u{1f600}"]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-z]{100,300}",
    ];
    prop::collection::vec(token, 0..5).prop_map(|tokens| tokens.join("."))
}

fn good(result: Result<(), Fault>) -> bool {
    result.is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_checks_agree_with_the_reference(text in text()) {
        prop_assert_eq!(good(check_token(&text)), house_token(&text) && text.len() <= MAX_TOKEN_LEN);
        prop_assert_eq!(good(check_relative(&text)), house(&text, MAX_RELATIVE_LEN));
        prop_assert_eq!(good(check_prefix(&text)), house(&text, MAX_PREFIX_LEN));
        prop_assert_eq!(good(check_subject(&text)), subject(&text));
        prop_assert_eq!(good(check_pattern(&text)), pattern(&text));
        prop_assert_eq!(good(check_event_type(&text)), event_type(&text));
    }

    #[test]
    fn a_fault_lies_in_the_text(text in text()) {
        let checks = [check_token, check_relative, check_prefix, check_subject, check_pattern, check_event_type];
        for fault in checks.iter().filter_map(|check| check(&text).err()) {
            prop_assert!(fault.at <= text.len());
            prop_assert!(!fault.to_string().is_empty());
        }
    }

    #[test]
    fn what_the_house_takes_nats_takes(text in text()) {
        if check_relative(&text).is_ok() {
            prop_assert_eq!(check_subject(&text), Ok(()));
            prop_assert_eq!(check_pattern(&text), Ok(()));
        }
    }

    #[test]
    fn two_words_make_two_tokens(name in "[A-Z][a-z0-9]{0,8}([A-Z][a-z0-9]{0,8}){0,2}|[A-Za-z_0-9]{0,8}") {
        let starts: Vec<usize> = name.match_indices(|c: char| c.is_ascii_uppercase()).map(|(at, _)| at).collect();
        let expected = (starts.len() == 2 && starts[0] == 0 && !name.contains('_'))
            .then(|| (name[..starts[1]].to_lowercase(), name[starts[1]..].to_lowercase()));
        if let Some((entity, action)) = &expected {
            prop_assert!(check_token(entity).is_ok() && check_token(action).is_ok());
        }
        prop_assert_eq!(two_words(&name), expected);
    }
}

#[test]
fn every_character_is_seen_or_refused() {
    for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
        let code = u32::from(c);
        assert_eq!(is_unseen(c), unseen(c), "U+{code:04X}");
        let text = format!("a{c}b");
        let literal = !unseen(c) && c != '*' && c != '>';
        assert_eq!(good(check_subject(&text)), literal, "U+{code:04X}");
        assert_eq!(good(check_pattern(&text)), literal, "U+{code:04X}");
        assert_eq!(
            good(check_event_type(&text)),
            event_type(&text),
            "U+{code:04X}"
        );
        for fault in [check_subject(&text), check_pattern(&text)] {
            assert!(
                literal || fault.is_err_and(|fault| fault.at == 1),
                "U+{code:04X}"
            );
        }
    }
}

#[test]
fn what_is_not_seen_is_named() {
    use FaultKind::{Control, Invisible, WhiteSpace};
    for (text, kind) in [
        ("a\u{a0}b", WhiteSpace),
        ("a\u{3000}b", WhiteSpace),
        ("a\u{2028}b", WhiteSpace),
        ("a\u{85}b", WhiteSpace),
        ("a\u{b}b", WhiteSpace),
        ("a\u{9b}b", Control),
        ("a\u{7f}b", Control),
        ("a\u{202e}b", Invisible),
        ("a\u{61c}b", Invisible),
        ("a\u{feff}b", Invisible),
        ("a\u{200b}b", Invisible),
        ("a\u{e0041}b", Invisible),
    ] {
        let fault = Err(Fault { kind, at: 1 });
        assert_eq!((check_subject(text), check_pattern(text)), (fault, fault));
    }
}

#[test]
fn a_type_is_nearly_any_text() {
    for text in [
        "com.example/Tx",
        "Order Placed",
        "a..b",
        "*",
        "größe",
        "a\u{a0}b",
    ] {
        assert_eq!(check_event_type(text), Ok(()), "{text:?}");
    }
    assert_eq!(check_event_type(&"x".repeat(255)), Ok(()));
    for (text, kind, at) in [
        (String::new(), FaultKind::Empty, 0),
        ("x".repeat(256), FaultKind::TooLong, 255),
        ("a\nb".to_owned(), FaultKind::Control, 1),
        ("ab\u{9b}".to_owned(), FaultKind::Control, 2),
        ("ab\u{2029}".to_owned(), FaultKind::Control, 2),
        ("\u{202e}a".to_owned(), FaultKind::Invisible, 0),
    ] {
        assert_eq!(check_event_type(&text), Err(Fault { kind, at }), "{text:?}");
    }
}

#[test]
fn the_fault_is_named_and_placed() {
    use FaultKind::{
        Control, Dot, Empty, EmptyToken, NotHouse, Reserved, TailNotLast, TokenTooLong, TooLong,
        WhiteSpace, Wildcard, WildcardNotAlone,
    };
    type Check = fn(&str) -> Result<(), Fault>;
    let long = "a".repeat(256);
    let many = ["a"; 200].join(".");
    let cases: [(Check, &str, FaultKind, usize); 24] = [
        (check_token, "", Empty, 0),
        (check_token, "a.b", Dot, 1),
        (check_token, "aB", NotHouse, 1),
        (check_token, &long, TokenTooLong, 255),
        (check_relative, "", Empty, 0),
        (check_relative, "a..b", EmptyToken, 2),
        (check_relative, ".a", EmptyToken, 0),
        (check_relative, "a.", EmptyToken, 2),
        (check_relative, "a.*", NotHouse, 2),
        (check_relative, &many, TooLong, 255),
        (check_prefix, &many, TooLong, 128),
        (check_subject, "a b", WhiteSpace, 1),
        (check_subject, "a.\t", WhiteSpace, 2),
        (check_subject, "a\u{1}", Control, 1),
        (check_subject, "a.*", Wildcard, 2),
        (check_subject, "$SYS.x", Reserved, 0),
        (check_subject, "$JS.EVENT.ADVISORYX.a", Reserved, 0),
        (check_pattern, "$JS.EVENT.>", Reserved, 0),
        (check_subject, "_INBOX.x", Reserved, 0),
        (check_subject, &long, TokenTooLong, 0),
        (check_pattern, "a.>.b", TailNotLast, 2),
        (check_pattern, "a.b*", WildcardNotAlone, 3),
        (check_pattern, "a.*b", WildcardNotAlone, 2),
        (check_pattern, "_R_.>", Reserved, 0),
    ];
    for (check, text, kind, at) in cases {
        assert_eq!(check(text), Err(Fault { kind, at }), "{text:?}");
    }
    let longest = vec!["a".repeat(127); 5].join(".") + ".";
    assert_eq!(longest.len(), MAX_SUBJECT_LEN);
    assert_eq!(check_subject(&longest[..MAX_SUBJECT_LEN - 1]), Ok(()));
    let fault = Fault {
        kind: TooLong,
        at: MAX_SUBJECT_LEN,
    };
    assert_eq!(check_subject(&(longest + "a")), Err(fault));
}
