//! The permissions that are made from a topology. `examples/shop` runs under its own, and tries each
//! line; `docs/production.md` has the table that they consist of.

use std::process::Command;
use std::time::Duration;

use event_sdk::dead_letters::{DeadLetterStream, DeadLetters};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{BucketConfig, ErrorKind};
use event_sdk::{EventBus, EventSet, Pattern, RawEvent};
use event_sdk_test_servers::{NKey, Server, programs};
use event_sdk_topology::permissions::{
    Consumes, Login, Permissions, PermissionsBuilder, Role, Service, User,
};
use event_sdk_topology::{DeadLetterSpec, DurableSpec, Topology, covers};
use tokio::sync::watch;

use crate::support::{OrderPlaced, OrderShipped, SHOP};

/// Everything under a pattern.
#[derive(EventSet)]
#[event(pattern = "orders.>")]
#[expect(clippy::large_enum_variant, reason = "nothing has one of its values")]
enum Orders {
    Placed(OrderPlaced),
    #[event(other)]
    Other(RawEvent),
}

#[derive(EventSet)]
enum Both {
    Placed(OrderPlaced),
    Shipped(OrderShipped),
}

const WIDE: Topology =
    Topology::new(const { &[StreamSpec::constant("ORDERS", &["orders.>"]).schedules()] })
        .consumers(
            const {
                &[
                    DurableSpec::of::<Both>("billing"),
                    DurableSpec::of::<OrderShipped>("shipping").partitions(2),
                    DurableSpec::of::<Orders>("all"),
                    DurableSpec::matching("python", "ORDERS", "orders.order.*"),
                ]
            },
        )
        .dead_letters(const { &[DeadLetterSpec::new("DLQ", "DLQ_RETRY").under("prod")] })
        .bucket(const { &BucketConfig::constant("LEASES") });
covers!(WIDE, Both);

fn published(user: &User) -> Vec<&str> {
    user.publish.iter().map(|one| &*one.subject).collect()
}

fn of(builder: &PermissionsBuilder) -> Permissions {
    builder.build().unwrap()
}

#[test]
fn each_option_is_a_permission() {
    let service = Service::new("everything")
        .publishes::<OrderShipped>()
        .publishes_expecting::<OrderPlaced>()
        .schedules::<OrderPlaced>()
        .cancels::<OrderPlaced>()
        .consumes(
            Consumes::durable("billing")
                .dead_letters("DLQ")
                .single_active()
                .parks(),
        )
        .consumes(Consumes::durable("shipping").creates_durables())
        .consumes(Consumes::durable("python").without_api().hears_exhausted());
    let made = of(&WIDE.permissions("shop").service(service));
    let [user] = &made.users[..] else {
        panic!("{made}")
    };
    let mut expected = vec![
        // Publishing: the key is in the subject of one of them.
        "shop.orders.order.shipped.*",
        "shop.orders.order.placed",
        "$JS.API.STREAM.MSG.GET.ORDERS",
        "schedules.ORDERS.>",
        "$JS.API.STREAM.INFO.ORDERS",
        "$JS.API.STREAM.MSG.DELETE.ORDERS",
        "$JS.API.DIRECT.GET.ORDERS",
        // A consumer with one owner.
        "$JS.API.CONSUMER.MSG.NEXT.ORDERS.billing",
        "$JS.ACK.ORDERS.billing.>",
        "$JS.API.CONSUMER.INFO.ORDERS.billing",
        "$JS.API.CONSUMER.INFO.DLQ_RETRY.billing-p0",
        "$KV.LEASES.attempts.billing.>",
        "$JS.API.DIRECT.GET.KV_LEASES",
        "$KV.LEASES.owners.billing.>",
        "$JS.API.STREAM.MSG.GET.KV_LEASES",
        "prod.dlq.billing.>",
        "prod.dlq.=rest.billing.>",
        "$JS.API.STREAM.INFO.DLQ",
        "$JS.API.STREAM.INFO.DLQ_RETRY",
        "$JS.API.DIRECT.GET.DLQ",
        "$JS.API.STREAM.MSG.GET.DLQ",
        "prod.dlq.=park.billing.>",
        "prod.dlq.=state.billing.>",
        "prod.dlq.=request.billing.>",
        "$JS.API.CONSUMER.INFO.DLQ_RETRY.billing",
        "$JS.API.CONSUMER.CREATE.DLQ_RETRY.billing.prod.retry.billing.>",
        "$JS.API.CONSUMER.MSG.NEXT.DLQ_RETRY.billing",
        "$JS.ACK.DLQ_RETRY.billing.>",
        // One with partitions, which makes its durables.
        "$JS.API.CONSUMER.MSG.NEXT.ORDERS.shipping-p0",
        "$JS.ACK.ORDERS.shipping-p0.>",
        "$JS.API.CONSUMER.INFO.ORDERS.shipping-p0",
        "$JS.API.CONSUMER.CREATE.ORDERS.shipping-p0.shop.orders.order.shipped.*",
        "$JS.API.CONSUMER.MSG.NEXT.ORDERS.shipping-p1",
        "$JS.ACK.ORDERS.shipping-p1.>",
        "$JS.API.CONSUMER.INFO.ORDERS.shipping-p1",
        "$JS.API.CONSUMER.CREATE.ORDERS.shipping-p1.shop.orders.order.shipped.*",
        "$JS.API.CONSUMER.INFO.ORDERS.shipping-p2",
        "$JS.API.CONSUMER.INFO.ORDERS.shipping",
        "$KV.LEASES.attempts.shipping.>",
        "$KV.LEASES.owners.shipping.>",
        // One that makes no call but these.
        "$JS.API.CONSUMER.MSG.NEXT.ORDERS.python",
        "$JS.ACK.ORDERS.python.>",
    ];
    let mut subjects = published(user);
    subjects.sort_unstable();
    expected.sort_unstable();
    assert_eq!(subjects, expected);
    let subscribed: Vec<_> = user.subscribe.iter().map(|one| &*one.subject).collect();
    let advisory = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ORDERS.python";
    assert_eq!(subscribed, [advisory, "_INBOX.>"]);
    // Each line says what it is for; one that serves several says all.
    let stream_info = user
        .publish
        .iter()
        .find(|one| one.subject == "$JS.API.STREAM.INFO.ORDERS");
    let purposes = &stream_info.unwrap().purposes;
    assert_eq!(purposes.len(), 2, "{purposes:?}");
}

/// The service itself does not ask, so that its user may not unless it is told to.
#[test]
fn a_service_may_ask_what_it_may_do_if_it_is_diagnosable() {
    let service = || Service::new("website").publishes::<OrderPlaced>();
    let lines = |service: Service| {
        let made = of(&WIDE.permissions("shop").service(service));
        let subjects = published(&made.users[0]).into_iter().map(str::to_owned);
        subjects.collect::<Vec<_>>()
    };
    let placed = "shop.orders.order.placed";
    assert_eq!(lines(service()), [placed]);
    let mut asks = lines(service().diagnosable());
    asks.sort_unstable();
    assert_eq!(asks, ["$SYS.REQ.USER.INFO", placed]);
}

#[test]
fn a_wider_permission_replaces_narrower_ones() {
    let service = Service::new("leases")
        .consumes(Consumes::durable("billing").single_active())
        .coordinates();
    let made = of(&WIDE.permissions("shop").service(service));
    let subjects = published(&made.users[0]);
    let of_bucket: Vec<_> = subjects.iter().filter(|it| it.starts_with("$KV")).collect();
    assert_eq!(of_bucket, [&"$KV.LEASES.>"]);
}

#[test]
fn a_cluster_is_asked_by_another_subject() {
    let billing = || Service::new("billing").consumes(Consumes::durable("billing"));
    for (clustered, has, lacks) in [
        (false, "DIRECT.GET.KV_LEASES", "MSG.GET.KV_LEASES"),
        (true, "MSG.GET.KV_LEASES", "DIRECT.GET.KV_LEASES"),
    ] {
        let made = WIDE.permissions("shop").service(billing());
        let text = of(&made.clustered(clustered)).to_string();
        assert!(text.contains(has) && !text.contains(lacks), "{text}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let consumes = |name: &str| Service::new("billing").consumes(Consumes::durable(name));
    let letters = Consumes::durable("billing").dead_letters("DLX");
    let without_bucket = Topology::new(const { &[StreamSpec::constant("ORDERS", &["orders.>"])] })
        .consumers(const { &[DurableSpec::of::<OrderPlaced>("billing")] });
    let elsewhere = Topology::new(const { &[StreamSpec::constant("CRM", &["crm.>"])] });
    let shop = || WIDE.permissions("shop");
    let cases = [
        (
            shop().service(consumes("bilings")),
            "declared: billing, shipping",
        ),
        (
            shop().service(Service::new("a").consumes(letters)),
            "`DLX`, which is no dead-letter stream",
        ),
        (shop().service(Service::new("a b")), "\"a b\""),
        (shop().monitor("a").operator("a"), "`a` is declared twice"),
        (
            shop().monitor("a").login("b", Login::NKey(String::new())),
            "`b`, and there is no such user; declared: a",
        ),
        (shop().monitor("a").account("x y"), "\"x y\""),
        (
            shop().monitor("my-billing").operator("MY_BILLING"),
            "`my-billing` and `MY_BILLING` would have one password",
        ),
        (
            shop()
                .monitor("a")
                .operator("b")
                .login("b", Login::PasswordVariable("A_PASSWORD".to_owned())),
            "variable `A_PASSWORD`",
        ),
        (
            shop().monitor("a").passwords_file("a\"\nusers: []"),
            "the file of passwords",
        ),
        (
            without_bucket
                .permissions("shop")
                .service(Service::new("a").consumes(Consumes::durable("billing").single_active())),
            "the topology has no bucket",
        ),
        (
            shop().service(Service::new("a").consumes(Consumes::durable("billing").parks())),
            "call `dead_letters`",
        ),
        (
            elsewhere
                .permissions("shop")
                .service(Service::new("a").publishes_by_outbox::<OrderPlaced>()),
            "declared: CRM",
        ),
        (WIDE.permissions("a b").monitor("m"), "a b"),
    ];
    for (builder, named) in cases {
        let error = builder.build().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(named), "{named}: {text}");
        assert!(
            matches!(error.kind(), ErrorKind::InvalidOption | ErrorKind::NoStream),
            "{error:?}"
        );
    }
    let made = of(&shop().monitor("m"));
    let error = made.of("n").unwrap_err().to_string();
    assert!(error.contains("declared: m"), "{error}");
    assert_eq!(made.of("m").unwrap(), made);
}

/// A user of each role, and of each kind of login.
fn all_kinds() -> PermissionsBuilder {
    let hash = format!("$2a$11${}", "a".repeat(53));
    let key = NKey::new().unwrap().public().to_owned();
    SHOP.permissions("shop")
        .service(Service::new("idle"))
        .service(Service::new("billing").consumes(Consumes::durable("billing").dead_letters("DLQ")))
        .deployment("deploy")
        .operator("operator")
        .monitor("monitor")
        .login("operator", Login::Bcrypt(hash))
        .login("monitor", Login::NKey(key))
}

#[test]
fn the_server_accepts_the_configuration() {
    let program = programs::nats::current().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let passwords = ["IDLE", "BILLING", "DEPLOY"].map(|user| format!("{user}_PASSWORD: pw\n"));
    std::fs::write(folder.path().join("passwords"), passwords.concat()).unwrap();
    for (name, builder) in [
        ("one", all_kinds()),
        ("account", all_kinds().account("SHOP").private_inboxes()),
        ("file", all_kinds().passwords_file("passwords")),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, of(&builder).to_string()).unwrap();
        let test = Command::new(program.path())
            .args(["-t", "-c"])
            .arg(&file)
            .envs(
                (name != "file")
                    .then(|| {
                        ["IDLE", "BILLING", "DEPLOY"].map(|it| (format!("{it}_PASSWORD"), "pw"))
                    })
                    .into_iter()
                    .flatten(),
            )
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&test.stderr);
        assert!(test.status.success(), "{said}");
    }
}

#[test]
fn a_changed_field_cannot_add_to_the_configuration() {
    let mut made = of(&all_kinds());
    let evil = "x\"\nusers: [{ user: evil }]\n#".to_owned();
    made.passwords_file = Some(evil.clone());
    made.prefix.clone_from(&evil);
    for user in &mut made.users {
        user.name.clone_from(&evil);
        for one in &mut user.publish {
            one.subject.clone_from(&evil);
            one.purposes = vec![evil.clone()];
        }
        user.login = match &user.login {
            Login::Bcrypt(_) => Login::Bcrypt(evil.clone()),
            Login::NKey(_) => Login::NKey(evil.clone()),
            _ => Login::PasswordVariable(evil.clone()),
        };
    }
    let text = made.to_string();
    assert!(
        !text.lines().any(|line| line.starts_with("users:")),
        "{text}"
    );
    assert!(!text.contains("include"), "{text}");
    let refused = "password: $THIS_LOGIN_IS_NOT_VALID";
    assert_eq!(text.matches(refused).count(), made.users.len(), "{text}");
}

#[test]
fn programs_read_json() {
    let made = of(&all_kinds().account("SHOP"));
    let json = serde_json::to_value(&made).unwrap();
    assert_eq!(json["prefix"], "shop");
    assert_eq!(json["account"], "SHOP");
    let billing = &json["users"][1];
    assert_eq!(billing["name"], "billing");
    assert_eq!(billing["role"], "service");
    assert_eq!(billing["login"]["password_variable"], "BILLING_PASSWORD");
    assert_eq!(billing["inbox_prefix"], "_INBOX");
    let line = &billing["publish"][0];
    assert_eq!(line["subject"], "$JS.API.CONSUMER.MSG.NEXT.ORDERS.billing");
    assert_eq!(line["purposes"][0], "requests events of ORDERS");
}

/// The users of two consumers that have owners, less one permission.
fn owners(missing: &str) -> Permissions {
    let consumes = |name: &str| Consumes::durable(name).dead_letters("DLQ");
    let billing = consumes("billing").single_active().parks();
    let made = WIDE
        .permissions("shop")
        .service(Service::new("orders").publishes::<Both>())
        .service(Service::new("billing").consumes(billing))
        .service(Service::new("shipping").consumes(consumes("shipping").creates_durables()))
        .deployment("deploy");
    let mut made = of(&made);
    let services = made.users.iter_mut();
    for user in services.filter(|user| user.role == Role::Service) {
        user.publish.retain(|one| one.subject != missing);
    }
    made
}

async fn connect(server: &Server, user: &str) -> EventBus {
    let nats = Nats::connect(Nats::options(server.url()).user(user, "pw"));
    let bus = WIDE.declare(EventBus::builder().prefix("shop"));
    bus.transport(nats.await.unwrap()).unwrap()
}

/// Runs both consumers until each has handled an event, or the server denies something.
async fn run_owners(missing: &str) -> String {
    let made = owners(missing);
    let passwords =
        "ORDERS_PASSWORD: pw\nBILLING_PASSWORD: pw\nSHIPPING_PASSWORD: pw\nDEPLOY_PASSWORD: pw\n";
    let server = Server::options().config(&format!("{passwords}{made}"));
    let server = server.start().await.unwrap();
    WIDE.apply(&connect(&server, "deploy").await).await.unwrap();
    let orders = connect(&server, "orders").await;
    let (placed, shipped) = (OrderPlaced { id: 1 }, OrderShipped { id: 1 });
    orders
        .publisher::<OrderPlaced>()
        .publish(placed)
        .await
        .unwrap();
    orders
        .publisher::<OrderShipped>()
        .publish(shipped)
        .await
        .unwrap();
    let handled = watch::Sender::new(0_u32);
    let until = || {
        let mut handled = handled.subscribe();
        async move { drop(handled.wait_for(|number| *number == 3).await) }
    };
    let count = handled.clone();
    let billing = connect(&server, "billing").await;
    let billing = billing.consumer::<Both>("billing").each(move |_, _| {
        count.send_modify(|number| *number += 1);
        std::future::ready(Ok(()))
    });
    let billing = billing.ordered_by_key().single_active();
    let billing = billing.dead_letters(DeadLetters::stream(letters()).sequenced());
    let count = handled.clone();
    let shipping = connect(&server, "shipping").await;
    let shipping = shipping
        .consumer::<OrderShipped>("shipping")
        .each(move |_, _| {
            count.send_modify(|number| *number += 1);
            std::future::ready(Ok(()))
        });
    let shipping = shipping
        .partitions(2)
        .dead_letters(DeadLetters::stream(letters()));
    let both = async { tokio::try_join!(billing.run_until(until()), shipping.run_until(until())) };
    let denied = async {
        while !server.log().contains("Violation") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        ended = Box::pin(both) => drop(ended),
        () = denied => {}
        () = tokio::time::sleep(Duration::from_secs(60)) => panic!("waited in vain without {missing}"),
    }
    server.log()
}

fn letters() -> DeadLetterStream {
    DeadLetterStream::new("DLQ").under("prod")
}

#[tokio::test]
async fn a_durable_cannot_be_created_with_another_filter() {
    let passwords =
        "ORDERS_PASSWORD: pw\nBILLING_PASSWORD: pw\nSHIPPING_PASSWORD: pw\nDEPLOY_PASSWORD: pw\n";
    let server = Server::options().config(&format!("{passwords}{}", owners("")));
    let server = server.start().await.unwrap();
    WIDE.apply(&connect(&server, "deploy").await).await.unwrap();
    let billing = connect(&server, "billing").await;
    let subscribe = async |filter: &str| {
        let filter = Pattern::parse(filter).unwrap();
        let redriven = billing.raw().absolute().subscribe(filter);
        let redriven = redriven.stream("DLQ_RETRY").durable("billing").await;
        redriven.map(drop)
    };
    for filter in ["prod.retry.>", "prod.retry.shipping.>"] {
        let error = subscribe(filter).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error}");
    }
    subscribe("prod.retry.billing.>").await.unwrap();
}

#[tokio::test]
async fn owned_consumers_run_under_their_users() {
    let log = run_owners("").await;
    assert!(!log.contains("Violation"), "{log}");
    let lines = [
        "$KV.LEASES.owners.billing.>",
        "$KV.LEASES.owners.shipping.>",
        "$JS.API.CONSUMER.INFO.DLQ_RETRY.billing-p0",
        "$JS.API.CONSUMER.INFO.ORDERS.shipping-p2",
        "$JS.API.CONSUMER.INFO.ORDERS.shipping-p0",
        "$JS.API.STREAM.MSG.GET.KV_LEASES",
    ];
    for line in lines {
        let log = run_owners(line).await;
        let denied = format!(
            "Publish Violation - Subject \"{}",
            line.trim_end_matches('>')
        );
        assert!(log.contains(&denied), "{denied}: {log}");
    }
}
