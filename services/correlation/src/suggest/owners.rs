//! Who owns which paths, as a file of CODEOWNERS says: teams only.
//!
//! <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

/// Rules of one file; of those that match a path the last counts.
#[derive(Clone, Debug, Default)]
pub struct Owners(Vec<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    paths: Vec<GlobMatcher>,
    /// The first team of the rule; people are left out.
    team: Option<String>,
}

impl Owners {
    /// Reads a file. A line that cannot be read is left out, as GitHub does.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(text.lines().filter_map(Rule::read).collect())
    }

    /// The team that owns a path.
    #[must_use]
    pub fn team(&self, path: &str) -> Option<&str> {
        let rule = self.0.iter().rev().find(|rule| rule.paths.iter().any(|glob| glob.is_match(path)))?;
        rule.team.as_deref()
    }

    /// The team that owns most of what was touched, and how many of how many times. Where nothing is known of paths, that of a file in
    /// the root.
    pub(super) fn of<'a>(&self, paths: impl Iterator<Item = (&'a str, usize)>) -> Option<(&str, usize, usize)> {
        let (mut teams, mut all): (BTreeMap<&str, usize>, usize) = (BTreeMap::new(), 0);
        for (path, count) in paths {
            all += count;
            if let Some(team) = self.team(path) {
                *teams.entry(team).or_default() += count;
            }
        }
        if all == 0 {
            return self.team("a-file").map(|team| (team, 0, 0));
        }
        let (team, count) = teams.into_iter().max_by_key(|(team, count)| (*count, std::cmp::Reverse(*team)))?;
        Some((team, count, all))
    }
}

impl Rule {
    fn read(line: &str) -> Option<Self> {
        let line = line.split(" #").next().unwrap_or_default().trim();
        let mut parts = line.split_whitespace();
        // A section of GitLab is no path.
        let pattern = parts.next().filter(|pattern| !pattern.starts_with(['#', '[', '^']))?;
        let team = parts.filter_map(|owner| owner.strip_prefix('@')?.split_once('/')).map(|(_, team)| team).next();
        let paths = globs(pattern)
            .into_iter()
            .filter_map(|glob| Some(GlobBuilder::new(&glob).literal_separator(true).build().ok()?.compile_matcher()));
        Some(Self { paths: paths.collect(), team: team.map(str::to_owned) })
    }
}

/// What a pattern means, as in a file of gitignore: with a slash inside it begins at the root, and a folder holds what is below it.
fn globs(pattern: &str) -> Vec<String> {
    let folder = pattern.ends_with('/');
    let path = pattern.trim_matches('/');
    if path.is_empty() {
        return vec!["**".to_owned()];
    }
    let rooted = pattern.starts_with('/') || path.contains('/');
    let base = if rooted { path.to_owned() } else { format!("**/{path}") };
    let below = format!("{base}/**");
    // `docs/*` means the files of the folder alone.
    match (folder, path.ends_with("/*")) {
        (true, _) => vec![below],
        (false, true) => vec![base],
        (false, false) => vec![base, below],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_that_matches_counts() {
        let owners = Owners::read(
            "# everything\n*  @acme/web\n*.sql @acme/data @octocat # tables\n/docs/ docs@example.org\napps/ @acme/apps\n\
             services/ledger @octocat @acme/platform\n/build/*  @acme/build\n[Section] @acme/x\n",
        );
        for (path, team) in [
            ("README.md", Some("web")),
            ("db/V1.sql", Some("data")),
            ("docs/a.md", None),
            ("x/docs/a.md", Some("web")),
            ("x/apps/main.rs", Some("apps")),
            ("services/ledger/src/book.rs", Some("platform")),
            ("old/services/ledger/a", Some("web")),
            ("build/a", Some("build")),
            ("build/a/b", Some("web")),
        ] {
            assert_eq!(owners.team(path), team, "{path}");
        }
        let touched = [("db/V1.sql", 3), ("README.md", 2), ("docs/a.md", 9)];
        assert_eq!(owners.of(touched.into_iter()), Some(("data", 3, 14)));
        assert_eq!(owners.of(std::iter::empty()), Some(("web", 0, 0)));
        assert_eq!(Owners::default().of(touched.into_iter()), None);
    }
}
