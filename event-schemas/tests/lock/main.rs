//! The lock: written, read again, and conflicts.

mod broken;
mod changes;
mod goldens;
mod shop;
mod writing;
