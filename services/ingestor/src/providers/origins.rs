//! Where a commit comes from, as its message says in the words of git itself.

use model::{ChangeId, CommitId};

/// The commits and changes that a message names.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Origins {
    /// By `git cherry-pick -x`: `(cherry picked from commit <id>)`.
    pub(crate) cherry_picked_from: Vec<CommitId>,
    /// By `git revert`: `This reverts commit <id>`.
    pub(crate) reverts: Vec<CommitId>,
    /// By the provider, whose adapter reads it: what it writes into the message of a merge.
    pub(crate) changes: Vec<ChangeId>,
}

/// Reads what git writes. The phrases count at the start of a line only: quoted further inside, they speak of something else.
pub(crate) fn origins(message: &str) -> Origins {
    let mut origins = Origins::default();
    for line in message.lines().map(str::trim) {
        let picked = line.strip_prefix("(cherry picked from commit ").and_then(leading_commit);
        let reverted = line.strip_prefix("This reverts commit ").and_then(leading_commit);
        add(&mut origins.cherry_picked_from, picked);
        add(&mut origins.reverts, reverted);
    }
    origins
}

/// Adds what is not in the list yet.
pub(crate) fn add<T: PartialEq>(list: &mut Vec<T>, item: Option<T>) {
    list.extend(item.filter(|item| !list.contains(item)));
}

/// A change by its number.
pub(crate) fn number(digits: &str) -> Option<ChangeId> {
    digits.parse::<u64>().ok().map(|n| ChangeId::new(n.to_string()))
}

fn leading_commit(text: &str) -> Option<CommitId> {
    let end = text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len());
    let id = CommitId::given(&text[..end])?;
    (id.is_full() || id.is_abbreviation()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_commit_is_left_out() {
        assert_eq!(
            origins("x\n\nThis reverts commit that broke it.\n> This reverts commit 6113728f"),
            Origins::default()
        );
        assert_eq!(origins("x\n\n(cherry picked from commit 12)"), Origins::default());
    }
}
