//! Programs in this folder are examples; see `quickstart/`.
