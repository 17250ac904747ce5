//! A service is deployed anew while its durable is in use, on a real server and on a cluster: old
//! and new replicas side by side, unknown events, and new versions with other settings.

mod binding;
mod cluster;
mod replicas;
mod rig;
mod unknown;
