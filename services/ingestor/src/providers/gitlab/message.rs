//! What a commit message tells of where the commit comes from.

use model::{ChangeId, Repository};

use crate::providers::origins::{self, Origins, add, number};

/// Reads a message: what git writes, and the merge request that GitLab names in the commits by which it merges:
/// `See merge request group/project!12`. One of another project came with a copied commit, and means nothing here.
pub(super) fn origins(message: &str, repository: &Repository) -> Origins {
    let mut origins = origins::origins(message);
    for line in message.lines().map(str::trim) {
        add(&mut origins.changes, merged_change(line, repository));
    }
    origins
}

fn merged_change(line: &str, repository: &Repository) -> Option<ChangeId> {
    let (project, iid) = line.strip_prefix("See merge request ")?.rsplit_once('!')?;
    let (_, path) = repository.as_str().split_once('/')?;
    (project.is_empty() || project.eq_ignore_ascii_case(path)).then(|| number(iid)).flatten()
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
