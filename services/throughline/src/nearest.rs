//! What was most likely meant by a word that is not known.

/// The known word that is nearest, where one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|right| (strsim::damerau_levenshtein(word, right), right))
        .filter(|(distance, right)| *distance <= (word.len().max(right.len()) / 3).max(2))
        .min()
        .map(|(_, right)| right)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_fingers_is_seen_through_and_another_word_is_not() {
        let known = ["cdevents", "github", "import"];
        assert_eq!(nearest("gitbuh", known), Some("github"));
        assert_eq!(nearest("imprt", known), Some("import"));
        assert_eq!(nearest("nobody", known), None);
    }
}
