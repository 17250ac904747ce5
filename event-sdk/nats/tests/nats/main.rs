//! The NATS transport on real servers, one file each for connecting, security, permissions,
//! streams, publishing, pulling, settling, recovery, history,
//! coordination, schedules, snapshots and core NATS.

mod advisories;
mod cluster;
mod connecting;
mod consumer_ends;
mod consumer_lost;
mod consumer_pull;
mod consumer_settle;
mod consumer_support;
mod coordinating;
mod core;
mod exhausted;
mod gaps;
mod gaps_uncertain;
mod history;
mod message_admin;
mod misbehaving;
mod odd_subjects;
mod permissions;
mod prefetch;
mod proxy;
mod publishing;
mod receiver;
mod refused_and_given_up;
mod scheduling;
mod secure;
mod sent_again;
mod snapshots;
mod streams;
mod support;
mod unreadable;
