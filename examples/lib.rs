//! Nothing to import: each program has a folder beside this file; README.md
//! says what they show.
