//! Ids of commits in few bytes.

use std::hash::Hasher as _;

use model::CommitId;
use rustc_hash::FxHasher;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Digits of a commit's id that an abbreviation has at least.
pub const STEM: usize = 7;

/// A full id. What is no SHA-1, as the ids of repositories by SHA-256 or of other systems, is kept as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id {
    Sha1([u8; 20]),
    Text(Box<str>),
}

impl Id {
    pub fn of(id: &CommitId) -> Self {
        match sha1(id.as_str().as_bytes()) {
            Some(bytes) => Self::Sha1(bytes),
            None => Self::Text(id.as_str().into()),
        }
    }

    pub fn to_commit(&self) -> CommitId {
        match self {
            Self::Sha1(bytes) => {
                let digit = |half: u8| char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 });
                CommitId::new(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<String>())
            }
            Self::Text(text) => CommitId::new(&**text),
        }
    }

    /// Hash of its first digits.
    pub fn stem(&self) -> u64 {
        match self {
            Self::Sha1(bytes) => hash(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) >> 4),
            Self::Text(text) => stem_of(text),
        }
    }
}

/// As the text.
impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_commit().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CommitId::deserialize(deserializer).map(|id| Self::of(&id))
    }
}

/// The same hash of an abbreviation, or of a text that is no id.
pub fn stem_of(text: &str) -> u64 {
    let digits = text.get(..STEM).and_then(|stem| stem.bytes().try_fold(0, |n, c| Some(n << 4 | u32::from(value(c)?))));
    digits.map_or_else(
        || {
            let mut hasher = FxHasher::default();
            hasher.write(&text.as_bytes()[..text.len().min(STEM)]);
            hasher.finish()
        },
        hash,
    )
}

fn hash(stem: u32) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u32(stem);
    hasher.finish()
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn sha1(text: &[u8]) -> Option<[u8; 20]> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let mut bytes = [0; 20];
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_and_are_found_by_their_first_digits() {
        let odd = ["0123456", "0123456789abcdef0123456789abcdef01234567", "v1.2.3", "", "ünïcode-id"];
        let long = "ab".repeat(32);
        for text in odd.into_iter().chain([long.as_str()]) {
            let id = CommitId::new(text);
            assert_eq!(Id::of(&id).to_commit(), id);
            let stem = text.char_indices().map(|(at, _)| at).nth(STEM).map_or(text, |at| &text[..at]);
            if text.is_ascii() && text.len() >= STEM {
                assert_eq!(stem_of(stem), Id::of(&id).stem(), "{text}");
            }
        }
        assert!(matches!(Id::of(&CommitId::new("AB".repeat(20))), Id::Text(_)), "only what comes back the same");
    }
}
