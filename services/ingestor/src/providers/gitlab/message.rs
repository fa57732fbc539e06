//! What a commit message tells of where the commit comes from.

use model::git::{self, Origins};
use model::{ChangeId, Repository};

/// Reads a message: what git writes, and the merge request that GitLab names in the commits by which it merges:
/// `See merge request group/project!12`. One of another project came with a copied commit, and means nothing here.
pub(super) fn origins(message: &str, repository: &Repository) -> Origins {
    // `(#12)` at the end of a title names an issue here.
    let mut origins = Origins { changes: Vec::new(), ..git::origins(message) };
    for change in message.lines().filter_map(|line| merged_change(line.trim(), repository)) {
        if !origins.changes.contains(&change) {
            origins.changes.push(change);
        }
    }
    origins
}

fn merged_change(line: &str, repository: &Repository) -> Option<ChangeId> {
    let (project, iid) = line.strip_prefix("See merge request ")?.rsplit_once('!')?;
    let (_, path) = repository.as_str().split_once('/')?;
    let iid = iid.parse::<u64>().ok().filter(|_| project.is_empty() || project.eq_ignore_ascii_case(path))?;
    Some(ChangeId::new(iid.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_names_its_change() {
        let here = Repository::from("gitlab.com/octo-group/shop");
        let change = |message: &str| origins(message, &here).changes.first().map(ToString::to_string);
        let merge = "Merge branch 'fix' into 'main'\n\nFix the till\n\nSee merge request ";
        assert_eq!(change(&format!("{merge}Octo-Group/shop!12")).as_deref(), Some("12"));
        assert_eq!(change(&format!("{merge}!12\n")).as_deref(), Some("12"));
        assert_eq!(change(&format!("{merge}octo-group/till!12")), None);
        assert_eq!(change(&format!("{merge}octo-group/shop!x")), None);
        assert_eq!(change("See merge request"), None);
    }
}
