//! The grammar functions in `const`, with the same results as at run time.

use event_sdk_subject::{
    check_event_type, check_pattern, check_prefix, check_relative, check_subject, check_token,
    covers, matches, overlaps, parent, subject_hash, token_count,
};

/// Evaluated by the compiler: a wrong result here does not compile.
const _: () = {
    assert!(check_token("order").is_ok() && check_token("Order").is_err());
    assert!(check_relative("orders.order.placed").is_ok() && check_relative("orders.").is_err());
    assert!(check_prefix("prod.shop").is_ok() && check_prefix("Prod").is_err());
    assert!(check_subject("Orders.ä").is_ok() && check_subject("orders.*").is_err());
    assert!(check_subject("a\u{a0}b").is_err() && check_pattern("a.\u{202e}.>").is_err());
    assert!(check_event_type("com.example/Tx").is_ok() && check_event_type("a\u{85}").is_err());
    assert!(check_pattern("orders.*.>").is_ok() && check_pattern("orders.>.x").is_err());
    assert!(matches("orders.*.placed", "orders.order.placed"));
    assert!(!matches("orders.*", "orders.order.placed"));
    assert!(covers("orders.>", "orders.*.placed") && !covers("orders.*", "orders.>"));
    assert!(overlaps("*.order.>", "orders.*.placed") && !overlaps("a.*", "b.*"));
    assert!(token_count("a.b.c") == 3 && token_count("") == 0);
    assert!(matches!(parent("a.b.c"), Some(parent) if parent.len() == 3));
    assert!(parent("a").is_none());
};

const HASH: u64 = subject_hash("orders.order.placed");

#[test]
fn the_hash_is_fnv_1a() {
    // The vectors of the algorithm's authors.
    assert_eq!(subject_hash(""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(subject_hash("a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(subject_hash("foobar"), 0x8594_4171_f739_67e8);
    assert_eq!(subject_hash(&String::from("orders.order.placed")), HASH);
}
