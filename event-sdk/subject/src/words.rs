//! Splits a struct name such as `OrderPlaced` into its default entity and action.

/// The two words of a name such as `OrderPlaced`, in lower case; `None` when
/// the name has one word, or more than two.
///
/// ```
/// use event_sdk_subject::two_words;
///
/// assert_eq!(two_words("WindowOpened"), Some(("window".into(), "opened".into())));
/// assert_eq!(two_words("DeploymentRolledBack"), None); // the event must name its subject
/// assert_eq!(two_words("Placed"), None);
/// ```
#[must_use]
pub fn two_words(name: &str) -> Option<(String, String)> {
    if !name.bytes().all(|b| b.is_ascii_alphanumeric())
        || !name.starts_with(|c: char| c.is_ascii_uppercase())
    {
        return None;
    }
    let starts: Vec<usize> = name
        .bytes()
        .enumerate()
        .filter(|(_, b)| b.is_ascii_uppercase())
        .map(|(at, _)| at)
        .collect();
    let &[0, second] = starts.as_slice() else {
        return None;
    };
    let (first, second) = name.split_at(second);
    Some((first.to_ascii_lowercase(), second.to_ascii_lowercase()))
}
