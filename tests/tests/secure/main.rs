//! Secure set-ups on real servers: credentials, TLS, users and permissions.

mod captured;
mod credentials;
mod domain;
mod permissions;
mod support;
mod tls;
mod users;
