//! Secure set-ups on real servers: credentials, TLS, domains, users with few permissions, and
//! the permissions table of docs/production.md row by row (`secure/permissions.rs`).

mod captured;
mod credentials;
mod domain;
mod permissions;
mod support;
mod tls;
mod users;
