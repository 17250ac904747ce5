//! Outboxes under load: long backlogs, held snapshots, many writers, several processes on one file, and
//! databases that fail.

mod backlog;
mod fairness;
