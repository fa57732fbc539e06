//! What a commit tells by itself, whoever tells of it: the origins that its message names, and the accounts behind its addresses.

use crate::{ChangeId, CommitId};

/// The account under which GitHub itself commits what is merged or edited on its pages.
const WEB_FLOW: &str = "web-flow";

/// The commits and changes that a message names.
#[derive(Debug, Default, PartialEq)]
pub struct Origins {
    /// By `git cherry-pick -x`: `(cherry picked from commit <id>)`.
    pub cherry_picked_from: Vec<CommitId>,
    /// By `git revert`: `This reverts commit <id>`.
    pub reverts: Vec<CommitId>,
    /// By GitHub: `(#12)` at the end of the title of a squash, or `Merge pull request #12 from …`.
    pub changes: Vec<ChangeId>,
}

/// Reads a message. The phrases count at the start of a line only: quoted further inside, they speak of something else.
#[must_use]
pub fn origins(message: &str) -> Origins {
    let mut origins = Origins::default();
    for line in message.lines().map(str::trim) {
        let picked = line.strip_prefix("(cherry picked from commit ").and_then(leading_commit);
        let reverted = line.strip_prefix("This reverts commit ").and_then(leading_commit);
        add(&mut origins.cherry_picked_from, picked);
        add(&mut origins.reverts, reverted);
    }
    let title = message.lines().next().unwrap_or_default().trim();
    add(&mut origins.changes, merged_change(title).or_else(|| squashed_change(title)));
    origins
}

/// Login in an address that a GitHub installation, `host`, hands out to keep the real one private:
/// `1234+octocat@users.noreply.github.com`, once without the number; and `noreply@github.com` for GitHub itself.
#[must_use]
pub fn private_login<'a>(host: &str, address: &'a str) -> Option<&'a str> {
    let (local, domain) = address.split_once('@')?;
    if local == "noreply" && domain == host {
        return Some(WEB_FLOW);
    }
    (domain.strip_prefix("users.noreply.") == Some(host))
        .then(|| local.split_once('+').map_or(local, |(_, login)| login))
}

/// Whether a login or a name is that of a machine: those of apps end in `[bot]`.
#[must_use]
pub fn is_machine(login: &str) -> bool {
    login.ends_with("[bot]") || login == WEB_FLOW
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: Option<T>) {
    list.extend(item.filter(|item| !list.contains(item)));
}

fn leading_commit(text: &str) -> Option<CommitId> {
    let end = text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len());
    let id = CommitId::given(&text[..end])?;
    (id.is_full() || id.is_abbreviation()).then_some(id)
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

fn number(digits: &str) -> Option<ChangeId> {
    digits.parse::<u64>().ok().map(|n| ChangeId::new(n.to_string()))
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn addresses_that_are_handed_out_name_the_account() {
        let login = |address| private_login("github.com", address);
        assert_eq!(login("583231+octocat@users.noreply.github.com"), Some("octocat"));
        assert_eq!(login("octocat@users.noreply.github.com"), Some("octocat"));
        assert_eq!(login("noreply@github.com").map(is_machine), Some(true));
        assert_eq!(login("octocat@users.noreply.example.com"), None);
        assert_eq!(login("octocat"), None);
        assert!(is_machine("renovate[bot]") && !is_machine("octocat"));
    }

    #[test]
    fn what_is_no_commit_is_left_out() {
        assert_eq!(
            origins("x\n\nThis reverts commit that broke it.\n> This reverts commit 6113728f"),
            Origins::default()
        );
        assert_eq!(origins("x\n\n(cherry picked from commit 12)"), Origins::default());
    }
}
