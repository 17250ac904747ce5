//! The outbox on PostgreSQL.
