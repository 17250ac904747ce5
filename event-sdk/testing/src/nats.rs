//! A real `nats-server` for tests, on a free port and with a store of its own.
//!
//! The path of the program is the one that the test [sets](Options::program), else the value of the
//! environment variable [`EVENT_SDK_NATS_SERVER`](PROGRAM_VARIABLE), else `nats-server` on the
//! `PATH`. If there is no program, the error says how to get one. The server ends with the test,
//! even if the test panics or is killed. It can be stopped, killed, paused and restarted on the
//! same port with the same store.
//!
//! ```no_run
//! use event_sdk::EventBus;
//! use event_sdk::transport::nats::Nats;
//! use event_sdk_testing::nats::NatsServer;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut server = NatsServer::start().await?;
//! let transport = Nats::connect(Nats::options(server.url())).await?;
//! let bus = EventBus::builder().transport(transport)?;
//! // … the test …
//! server.restart().await?; // what does the service do meanwhile?
//! # Ok(())
//! # }
//! ```

pub use event_sdk_nats_server::{Error, NatsServer, Options, PROGRAM_VARIABLE};
