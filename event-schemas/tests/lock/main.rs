//! The lock: writing, changes, golden documents, and locks that cannot be read.

mod broken;
mod changes;
mod goldens;
mod shop;
mod writing;
