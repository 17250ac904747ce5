//! The consumer runtime: the service around handlers.

mod owner;

#[cfg(test)]
mod model;
