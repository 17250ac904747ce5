//! Contracts for other teams.
