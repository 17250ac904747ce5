//! The lock: written, read again, and what stands against writing it.

mod broken;
mod changes;
mod goldens;
mod shop;
mod writing;
