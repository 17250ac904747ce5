//! The acks of publishes: one inbox for the life of the connection.
