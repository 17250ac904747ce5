//! A program that is configured by its environment alone (`tests/src/bin/configured.rs`), on memory
//! and on a real server.

use std::fs;
use std::process::{Command, Output};

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::{Server, User};

const PASSWORD: &str = "pw-9f2c41";

/// Runs the program with this environment and no other settings.
fn program(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_configured"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("EVENT_SDK_") {
            command.env_remove(name);
        }
    }
    let Output { stdout, stderr, .. } = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8(stdout).unwrap();
    assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    text.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_configured_by_its_environment() {
    let subject = "orders.order.placed";
    let on_memory = program(&[
        ("EVENT_SDK_TRANSPORT", "memory"),
        ("EVENT_SDK_APPLICATION", "billing"),
    ]);
    assert_eq!(on_memory, format!("received events.{subject} from billing"));
    let nothing = program(&[]);
    assert!(nothing.starts_with("error NotConfigured"), "{nothing}");
    assert!(nothing.contains("EVENT_SDK_TRANSPORT"), "{nothing}");
    let unknown = program(&[("EVENT_SDK_TRANSPROT", "memory")]);
    assert!(unknown.contains("`EVENT_SDK_TRANSPORT`"), "{unknown}");

    let users = [User::password("anna", PASSWORD)];
    let server = Server::options().users(users).start().await.unwrap();
    let password = server.folder().join("password");
    fs::write(&password, PASSWORD).unwrap();
    let file = server.folder().join("billing.toml");
    fs::write(
        &file,
        format!(
            "transport = 'nats'\nprefix = '{{environment}}.events'\nenvironment = 'test'\n\n[nats]\nurl = '{}'\nuser = 'anna'\npassword_file = '{}'\n",
            server.url(),
            password.display()
        ),
    )
    .unwrap();
    let options = Nats::options(server.url()).user("anna", PASSWORD);
    let orders = StreamSpec::new("ORDERS").subject("orders.>");
    let bus = EventBus::builder().prefix("test.events").stream(orders);
    let bus = bus
        .transport(Nats::connect(options).await.unwrap())
        .unwrap();
    bus.apply().await.unwrap();
    bus.close().await.unwrap();
    let on_server = program(&[
        ("EVENT_SDK_CONFIG_FILE", file.to_str().unwrap()),
        ("EVENT_SDK_APPLICATION", "billing"),
    ]);
    assert_eq!(
        on_server,
        format!("received test.events.{subject} from billing")
    );
}
