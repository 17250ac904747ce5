//! Outboxes under load: several processes on one file.

mod fairness;
