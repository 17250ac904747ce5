//! Event sets: which variant a message becomes, by subject and version.

use std::sync::Arc;

use event_sdk::codec::DecodeErrorKind;
use event_sdk::event::KeyUse;
use event_sdk::{Event, EventBus, EventSet, RawEvent, Readable, Visit, Visitor};
use event_sdk_tests::raw::{self, envelope};
use serde::{Deserialize, Serialize};

/// An item was created in the shop.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "shop")]
struct ItemCreated {
    id: u8,
}

/// An item was created in the warehouse: another event of the same type.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "warehouse", entity = "item", action = "created")]
struct StockCreated {
    id: u8,
}

/// A transaction, by a subject that exists already.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(subject = "transactions.created", type = "transaction.created")]
struct TransactionCreated {
    id: u8,
}

/// Somebody else's event.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(absolute = "Legacy.Billing.v1", type = "billing")]
struct LegacyBilling {
    id: u8,
}

/// A device was seen; each has a subject of its own.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "iot")]
struct DeviceSeen {
    #[event(key, in_subject)]
    device: String,
}

#[derive(Debug, PartialEq, EventSet)]
enum Everything {
    Item(ItemCreated),
    Stock(Arc<StockCreated>),
    Transaction(TransactionCreated),
    Legacy(LegacyBilling),
    Device(DeviceSeen),
}

#[tokio::test]
async fn each_subject_is_its_variant_whatever_the_prefix() {
    for prefix in ["events", "prod.shop"] {
        let bus = EventBus::builder().prefix(prefix).memory().unwrap();
        let mut all = bus.subscribe::<Everything>().await.unwrap();
        bus.publisher()
            .publish(ItemCreated { id: 1 })
            .await
            .unwrap();
        bus.publisher()
            .publish(StockCreated { id: 2 })
            .await
            .unwrap();
        bus.publisher()
            .publish(TransactionCreated { id: 3 })
            .await
            .unwrap();
        bus.publisher()
            .publish(LegacyBilling { id: 4 })
            .await
            .unwrap();
        bus.publisher()
            .publish(DeviceSeen {
                device: "a.b".into(),
            })
            .await
            .unwrap();
        let expected = [
            (
                format!("{prefix}.shop.item.created"),
                Everything::Item(ItemCreated { id: 1 }),
            ),
            (
                format!("{prefix}.warehouse.item.created"),
                Everything::Stock(Arc::new(StockCreated { id: 2 })),
            ),
            (
                format!("{prefix}.transactions.created"),
                Everything::Transaction(TransactionCreated { id: 3 }),
            ),
            (
                "Legacy.Billing.v1".to_owned(),
                Everything::Legacy(LegacyBilling { id: 4 }),
            ),
            (
                format!("{prefix}.iot.device.seen.a=2Eb"),
                Everything::Device(DeviceSeen {
                    device: "a.b".into(),
                }),
            ),
        ];
        for (subject, event) in expected {
            let delivery = all.next().await.unwrap().unwrap();
            assert_eq!(delivery.subject().as_str(), subject);
            assert_eq!(delivery.decode().unwrap(), event);
            delivery.ack().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_absolute_subject_under_the_prefix_is_refused() {
    #[derive(Event, Serialize, Deserialize)]
    #[event(absolute = "events.shop.item.sold", type = "item.sold")]
    struct ItemSold;

    let error = EventBus::memory()
        .subscribe::<ItemSold>()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`subject`"), "{error}");
}

#[test]
fn specs_say_what_the_derive_was_told() {
    assert_eq!(
        ItemCreated::SPEC.event_type(),
        StockCreated::SPEC.event_type()
    );
    assert_eq!(DeviceSeen::SPEC.key_use(), KeyUse::InSubject);
    assert_eq!(DeviceSeen::SPEC.filter(), "iot.device.seen.*");
    assert_eq!(ItemCreated::SPEC.key_use(), KeyUse::None);
    assert!(LegacyBilling::SPEC.is_absolute());
    assert_eq!(TransactionCreated::SPEC.domain(), None);
    assert_eq!(ItemCreated::SPEC.domain(), Some("shop"));
    assert_eq!(
        ItemCreated::SPEC.description(),
        "An item was created in the shop."
    );
    assert_eq!(Everything::MEMBERS.len(), 5);
    assert_eq!(<Everything as EventSet>::PATTERN, None);
}

#[test]
fn a_visitor_sees_each_event_with_its_type() {
    struct Names(Vec<(&'static str, usize)>);

    impl<E: Readable> Visitor<E> for Names {
        fn visit(&mut self) {
            self.0.push((E::SPEC.name(), size_of::<E>()));
        }
    }

    fn names<S: Visit<Names>>() -> Vec<(&'static str, usize)> {
        let mut names = Names(Vec::new());
        S::visit_all(&mut names);
        names.0
    }

    let all = names::<Everything>();
    assert_eq!(all[0], ("ItemCreated", 1));
    assert_eq!(
        all.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        [
            "ItemCreated",
            "StockCreated",
            "TransactionCreated",
            "LegacyBilling",
            "DeviceSeen"
        ]
    );
    assert_eq!(names::<Arc<ItemCreated>>(), names::<ItemCreated>());
}

/// An account, as it was at first.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(
    domain = "bank",
    entity = "account",
    action = "opened",
    version = "1.3"
)]
struct AccountOpenedV1 {
    owner: String,
}

/// An account, as it was then.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "bank", entity = "account", action = "opened", version = "2.0", upcast_from = AccountOpenedV1)]
struct AccountOpenedV2 {
    first: String,
    last: String,
}

/// An account, as it is now.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "bank", entity = "account", action = "opened", version = "3.0", upcast_from = AccountOpenedV2)]
struct AccountOpened {
    first: String,
    last: String,
    currency: String,
}

impl TryFrom<AccountOpenedV1> for AccountOpenedV2 {
    type Error = &'static str;

    fn try_from(old: AccountOpenedV1) -> Result<Self, Self::Error> {
        let (first, last) = old.owner.split_once(' ').ok_or("an owner has two names")?;
        Ok(Self {
            first: first.into(),
            last: last.into(),
        })
    }
}

impl From<AccountOpenedV2> for AccountOpened {
    fn from(old: AccountOpenedV2) -> Self {
        Self {
            first: old.first,
            last: old.last,
            currency: "EUR".into(),
        }
    }
}

#[tokio::test]
async fn a_subscriber_gets_its_newest_type_whatever_version_arrives() {
    let bus = EventBus::memory();
    let mut accounts = bus.subscribe::<AccountOpened>().await.unwrap();
    let ada = AccountOpened {
        first: "Ada".into(),
        last: "L".into(),
        currency: "EUR".into(),
    };
    for (version, data) in [
        ("1.0", r#"{"owner":"Ada L"}"#),
        ("1.9", r#"{"owner":"Ada L","added":1}"#),
        ("2.0", r#"{"first":"Ada","last":"L"}"#),
        ("3.0", r#"{"first":"Ada","last":"L","currency":"EUR"}"#),
        (
            "3.7",
            r#"{"first":"Ada","last":"L","currency":"EUR","added":1}"#,
        ),
    ] {
        let body = envelope("account.opened", version, data);
        raw::publish(&bus, "events.bank.account.opened", body)
            .await
            .unwrap();
        let delivery = accounts.next().await.unwrap().unwrap();
        assert_eq!(delivery.decode().unwrap(), ada, "{version}");
        assert_eq!(
            delivery
                .raw()
                .unwrap()
                .read_event::<AccountOpened>()
                .unwrap(),
            ada
        );
    }
    for (version, data, kind, why) in [
        (
            "1.0",
            r#"{"owner":"Ada"}"#,
            DecodeErrorKind::Data,
            "an owner has two names",
        ),
        (
            "1.0",
            r#"{"first":"Ada"}"#,
            DecodeErrorKind::Data,
            "AccountOpenedV1",
        ),
        ("4.0", "{}", DecodeErrorKind::Newer, "4.0"),
        ("0.1", "{}", DecodeErrorKind::Older, "0.1"),
    ] {
        let body = envelope("account.opened", version, data);
        raw::publish(&bus, "events.bank.account.opened", body)
            .await
            .unwrap();
        let error = accounts
            .next()
            .await
            .unwrap()
            .unwrap()
            .decode()
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let said = format!("{error}: {}", error.expose().unwrap_or_default());
        assert!(said.contains(why), "{said}");
    }
}

#[tokio::test]
async fn a_raw_event_is_a_set_of_everything() {
    let bus = EventBus::memory();
    let mut raw = bus.subscribe::<RawEvent>().await.unwrap();
    bus.publisher()
        .publish(ItemCreated { id: 1 })
        .await
        .unwrap();
    bus.publisher()
        .publish(LegacyBilling { id: 2 })
        .await
        .unwrap();
    bus.publisher()
        .publish(DeviceSeen { device: "x".into() })
        .await
        .unwrap();
    let first = raw.next().await.unwrap().unwrap().decode().unwrap();
    assert_eq!(first.subject.as_str(), "events.shop.item.created");
    first.read_event::<ItemCreated>().unwrap();
    // Everything under the prefix: a foreign subject has to be asked for by name.
    let second = raw.next().await.unwrap().unwrap().decode().unwrap();
    assert_eq!(second.subject.as_str(), "events.iot.device.seen.x");
}

/// Generic events share their subject: the type parameter is the data's.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "config")]
struct ValueChanged<T>
where
    T: Send + Sync + 'static,
{
    old: T,
    new: T,
}

#[tokio::test]
async fn a_generic_event_is_published_with_its_type() {
    let bus = EventBus::memory();
    let mut changes = bus.subscribe::<ValueChanged<u8>>().await.unwrap();
    bus.publisher()
        .publish(ValueChanged { old: 1_u8, new: 2 })
        .await
        .unwrap();
    let change = changes.next().await.unwrap().unwrap().decode().unwrap();
    assert_eq!(change, ValueChanged { old: 1, new: 2 });
}

/// A limit, as it was.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "bank", entity = "limit", action = "set")]
struct LimitSetV1;

/// A limit, as it is now.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "bank", entity = "limit", action = "set", version = "2.0", upcast_from = LimitSetV1)]
struct LimitSet;

/// A reason that cannot be shown to its end.
#[derive(Debug)]
struct Mute;

impl std::fmt::Display for Mute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no limit, bec")?;
        Err(std::fmt::Error)
    }
}

impl TryFrom<LimitSetV1> for LimitSet {
    type Error = Mute;

    fn try_from(_: LimitSetV1) -> Result<Self, Mute> {
        Err(Mute)
    }
}

#[tokio::test]
async fn a_refusal_whose_display_fails_does_not_panic() {
    let bus = EventBus::memory();
    let mut limits = bus.subscribe::<LimitSet>().await.unwrap();
    let body = envelope("limit.set", "1.0", "null");
    raw::publish(&bus, "events.bank.limit.set", body)
        .await
        .unwrap();
    let error = limits.next().await.unwrap().unwrap().decode().unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::Data);
    // What the conversion says may show the event, so it is kept apart.
    assert!(!error.to_string().contains("no limit"), "{error}");
    let exposed = error.expose().unwrap();
    assert!(exposed.contains("no limit, bec"), "{exposed}");
}
