//! Secure set-ups on real servers: credentials, TLS, domains, users with few permissions, and
//! the permission rows that `secure/permissions.rs` reads from the table in docs/production.md.

mod captured;
mod credentials;
mod domain;
mod permissions;
mod personal;
mod secrets;
mod support;
mod tls;
mod users;
