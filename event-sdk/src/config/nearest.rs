//! The known name that is nearest to an unknown one.

/// The nearest of these names; `None` if none is near.
pub(super) fn nearest(unknown: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    let unknown = unknown.to_ascii_lowercase();
    let distances = known.into_iter().map(|known| {
        let distance = strsim::damerau_levenshtein(&unknown, &known.to_ascii_lowercase());
        (distance, known)
    });
    let (distance, known) = distances.min_by_key(|(distance, _)| *distance)?;
    // Of a name, at most a third may be different.
    (distance <= known.len().div_ceil(3)).then_some(known)
}

/// The end of a sentence about an unknown name: the nearest one, or where all are.
pub(super) fn instead(unknown: &str, known: impl IntoIterator<Item = String>) -> String {
    match nearest(unknown, known) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "`Config::env_template` and docs/configuration.md list all settings".to_owned(),
    }
}
