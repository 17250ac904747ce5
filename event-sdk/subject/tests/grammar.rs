//! The grammars, against a reference that splits and looks at each token.

use event_sdk_subject::{
    Fault, FaultKind, MAX_PREFIX_LEN, MAX_RELATIVE_LEN, MAX_SUBJECT_LEN, MAX_TOKEN_LEN,
    check_pattern, check_prefix, check_relative, check_subject, check_token, two_words,
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

fn nats_literal(token: &str) -> bool {
    let bad = |c: char| c == ' ' || c.is_ascii_control() || c == '*' || c == '>';
    !token.is_empty() && token.len() <= MAX_TOKEN_LEN && !token.chars().any(bad)
}

fn reserved(text: &str) -> bool {
    let first = text.split('.').next().unwrap_or_default();
    first.starts_with('$') || ["_INBOX", "_R_", "_GR_"].contains(&first)
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

fn text() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        4 => "[a-z0-9_-]{1,6}",
        2 => "[ -~]{0,4}",
        2 => prop::sample::select(vec!["*", ">", "", "$JS", "_INBOX", "_R_", "_GR_", "_INBOXES", "ä", "a*", "\u{85}", "\u{c}", "\u{7f}", "\u{b}"]).prop_map(str::to_owned),
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
    }

    #[test]
    fn a_fault_lies_in_the_text(text in text()) {
        let checks = [check_token, check_relative, check_prefix, check_subject, check_pattern];
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
fn the_fault_is_named_and_placed() {
    use FaultKind::{
        Control, Dot, Empty, EmptyToken, NotHouse, Reserved, TailNotLast, TokenTooLong, TooLong,
        WhiteSpace, Wildcard, WildcardNotAlone,
    };
    type Check = fn(&str) -> Result<(), Fault>;
    let long = "a".repeat(256);
    let many = ["a"; 200].join(".");
    let cases: [(Check, &str, FaultKind, usize); 22] = [
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
