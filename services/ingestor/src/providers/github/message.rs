//! What a commit message tells of where the commit comes from.

use model::ChangeId;

use crate::providers::origins::{self, Origins, add, number};

/// Reads a message: what git writes, and the change by GitHub's words, `(#12)` at the end of the title of a squash, or
/// `Merge pull request #12 from …`.
pub(super) fn origins(message: &str) -> Origins {
    let mut origins = origins::origins(message);
    let title = message.lines().next().unwrap_or_default().trim();
    add(&mut origins.changes, merged_change(title).or_else(|| squashed_change(title)));
    origins
}

fn merged_change(title: &str) -> Option<ChangeId> {
    let rest = title.strip_prefix("Merge pull request #")?;
    number(rest.split_once(' ').map_or(rest, |(number, _)| number))
}

/// Of several, `Fix (#7) (#12)`, the last one brought the commit here; the others were copied from elsewhere.
fn squashed_change(title: &str) -> Option<ChangeId> {
    let (_, last) = title.strip_suffix(')')?.rsplit_once("(#")?;
    number(last)
}

#[cfg(test)]
mod tests {
    use model::CommitId;

    use super::*;

    const A: &str = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";
    const B: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";

    #[test]
    fn cherry_picks_and_reverts_name_commits() {
        let message = format!(
            "Revert \"Retry (#7)\" (#12)\r\n\r\nThis reverts commit {A}, reversing\r\nchanges made to {B}.\r\n\r\n\
             (cherry picked from commit {B})\r\n(cherry picked from commit {B})\r\n"
        );
        let origins = origins(&message);
        assert_eq!(origins.reverts, [CommitId::from(A)]);
        assert_eq!(origins.cherry_picked_from, [CommitId::from(B)]);
        assert_eq!(origins.changes, [ChangeId::from("12")]);
    }

    #[test]
    fn titles_name_the_change() {
        let change = |message: &str| origins(message).changes.first().map(ToString::to_string);
        assert_eq!(change("Merge pull request #12 from octo-org/fix\n\nFix").as_deref(), Some("12"));
        assert_eq!(change("Fix (#12)").as_deref(), Some("12"));
        assert_eq!(change("Backport fix (#7) (#12)\n\nsee (#9)").as_deref(), Some("12"));
        assert_eq!(change("Fix #12"), None);
        assert_eq!(change("Fix (#12) again"), None);
        assert_eq!(change("Fix (#)"), None);
        assert_eq!(change(""), None);
    }
}
