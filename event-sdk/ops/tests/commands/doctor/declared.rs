//! The permissions of the user beside those that the program declares, and the prefix of the JetStream API.

use event_sdk::EventBus;
use event_sdk::transport::TransportExt as _;
use event_sdk::transport::nats::Nats;
use event_sdk_ops::Operations;
use event_sdk_test_servers::{Permissions, Server, User};
use event_sdk_topology::permissions::{Consumes, PermissionsBuilder, Service};

use super::Diagnosis;
use super::shop::{SHOP, connect};
use crate::until;

const USER_INFO: &str = "$SYS.REQ.USER.INFO";

fn users() -> PermissionsBuilder {
    let billing = Consumes::durable("billing").dead_letters("DLQ");
    let billing = billing.hears_exhausted();
    let billing = Service::new("billing").consumes(billing);
    SHOP.permissions("events").service(billing.diagnosable())
}

/// What `doctor` finds as the user `billing`, who may do what is declared, but for one line.
async fn without(lacking: &str) -> Diagnosis {
    with(|publish, subscribe| {
        publish.retain(|it| it != lacking);
        subscribe.retain(|it| it != lacking);
    })
    .await
}

/// What `doctor` finds as the user `billing` with its lines changed.
async fn with(change: impl FnOnce(&mut Vec<String>, &mut Vec<String>)) -> Diagnosis {
    let declared = users().build().unwrap().users.remove(0);
    let lines = |lines: Vec<event_sdk_topology::permissions::Permission>| {
        let subjects = lines.into_iter().map(|line| line.subject);
        subjects.collect::<Vec<_>>()
    };
    let (mut publish, mut subscribe) = (lines(declared.publish), lines(declared.subscribe));
    change(&mut publish, &mut subscribe);
    let publish: Vec<_> = publish.iter().map(String::as_str).collect();
    let subscribe: Vec<_> = subscribe.iter().map(String::as_str).collect();
    let may = Permissions::none().publish(&publish).subscribe(&subscribe);
    let user = User::password("billing", "sesame").permissions(may);
    let server = Server::options().users([user]).start().await.unwrap();
    diagnosed(&server).await
}

/// What `doctor` finds as the user `billing` of this server.
async fn diagnosed(server: &Server) -> Diagnosis {
    let options = Nats::options(server.url()).user("billing", "sesame");
    let nats = Nats::connect(options).await.unwrap();
    let bus = EventBus::builder().transport(nats).unwrap();
    let shop = Operations::new("shop").topology(SHOP).bus(bus);
    Diagnosis::of(&shop.permissions(users()), "--connect-only").await
}

#[tokio::test]
async fn each_declared_permission_that_the_server_does_not_give_is_named() {
    let found = without("").await;
    assert_eq!(found.codes(), [""; 0], "{found:#?}");
    for line in [
        "$JS.API.CONSUMER.MSG.NEXT.ORDERS.billing",
        "$KV.SHOP.attempts.billing.>",
        "dlq.billing.>",
    ] {
        let found = without(line).await;
        found.names("permission-missing", line, "may not publish to it");
        found.names("permission-missing", "user billing", "needs it");
        assert_eq!(found.codes(), ["permission-missing"], "{found:#?}");
    }
}

/// Without that line, nothing is compared, and the line is named.
#[tokio::test]
async fn a_user_that_may_not_ask_what_it_may_do_learns_which_line_it_lacks() {
    let found = without(USER_INFO).await;
    found.notes("user-unknown", "user", USER_INFO);
    found.advises("user-unknown", "add the line `$SYS.REQ.USER.INFO`");
    assert_eq!(found.codes(), [""; 0], "{found:#?}");
}

#[tokio::test]
async fn what_lines_give_together_is_not_called_missing() {
    let found = with(|publish, _| {
        publish.retain(|it| it != "dlq.billing.>");
        publish.extend(["dlq.billing.*", "dlq.billing.*.>"].map(str::to_owned));
    })
    .await;
    let problem = "no single line covers it";
    found.names("permission-scattered", "dlq.billing.>", problem);
    assert_eq!(found.codes(), ["permission-scattered"], "{found:#?}");
}

/// A server refuses a subscription without a group by such a line.
#[tokio::test]
async fn a_line_for_a_queue_group_gives_nothing_to_other_subscriptions() {
    let advisory = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ORDERS.billing";
    let found = with(|_, subscribe| {
        subscribe.retain(|it| it != advisory);
        subscribe.push(format!("{advisory} workers"));
    })
    .await;
    let problem = format!("the line `{advisory} workers` is for subscriptions in that queue group");
    found.names("permission-missing", advisory, &problem);
    assert_eq!(found.codes(), ["permission-missing"], "{found:#?}");
    // Beside a line for all, it takes nothing away.
    let found = with(|_, subscribe| subscribe.push(format!("{advisory} workers"))).await;
    assert_eq!(found.codes(), [""; 0], "{found:#?}");
}

#[tokio::test]
async fn what_is_denied_to_a_queue_group_alone_is_not_denied() {
    let given = |deny: &str| {
        format!(
            "authorization {{ users: [{{ user: billing, password: sesame, permissions: {{
                publish: [\"$JS.>\", \"$KV.>\", \"dlq.>\", \"{USER_INFO}\"]
                subscribe: {{ allow: [\"_INBOX.>\", \"$JS.EVENT.>\"], deny: [\"{deny}\"] }}
            }} }}] }}"
        )
    };
    for (deny, codes) in [
        ("$JS.EVENT.> workers", &[][..]),
        ("$JS.EVENT.>", &["permission-missing"][..]),
    ] {
        let server = Server::options()
            .config(&given(deny))
            .start()
            .await
            .unwrap();
        let found = diagnosed(&server).await;
        assert_eq!(found.codes(), codes, "{deny}: {found:#?}");
    }
}

#[tokio::test]
async fn who_may_receive_everything_in_a_queue_group_may_receive_everything() {
    let found = with(|_, subscribe| subscribe.push("> workers".to_owned())).await;
    let problem = "may receive everything (`>`) in its account";
    found.names("permission-too-large", "user billing", problem);
}

#[tokio::test]
async fn a_prefix_of_the_api_that_is_configured_is_the_one_that_is_compared() {
    // A server without JetStream, whose clients use that of another one.
    let listens = "leafnodes { listen: \"127.0.0.1:-1\" }";
    let hub = Server::options().domain("hub").config(listens);
    let hub = hub.start().await.unwrap();
    let bus = EventBus::builder().transport(connect(&hub).await);
    SHOP.apply(&bus.unwrap()).await.unwrap();
    let listening = "Listening for leafnode connections on ";
    until(async || hub.log().contains(listening)).await;
    let log = hub.log();
    let (_, address) = log.split_once(listening).unwrap();
    let address = address.lines().next().unwrap();
    let remote = format!("leafnodes {{ remotes: [{{ url: \"nats-leaf://{address}\" }}] }}");
    let publish = ["$JS.hub.API.>", "$JS.ACK.ORDERS.billing.>", USER_INFO];
    let may = Permissions::none().publish(&publish);
    let may = may.subscribe(&["_INBOX.>"]);
    let user = User::password("hub", "sesame").permissions(may);
    let server = Server::options().without_jetstream().config(&remote);
    let server = server.users([user]).start().await.unwrap();
    let connected = async || {
        let options = Nats::options(server.url()).user("hub", "sesame");
        Nats::connect(options.domain("hub")).await.unwrap()
    };
    // The interest of the hub reaches this server some time after the two are connected.
    let nats = connected().await;
    until(async || nats.stream_state("ORDERS").await.is_ok()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.toml");
    let toml = format!(
        "transport = 'nats'\nnats.url = '{}'\nnats.user = 'hub'\nnats.password = 'sesame'\nnats.domain = 'hub'\n",
        server.url()
    );
    std::fs::write(&path, toml).unwrap();
    let shop = Operations::new("shop").topology(SHOP);
    let args = format!("--config {}", path.display());
    let found = Diagnosis::of(&shop, &args).await;
    assert_eq!(found.codes(), [""; 0], "{found:#?}");

    // A bus that the program has does not tell its prefix: the permissions of the user do.
    let bus = EventBus::builder().transport(connected().await).unwrap();
    let found = Diagnosis::of(&shop.bus(bus), "").await;
    assert_eq!(found.codes(), [""; 0], "{found:#?}");
}
