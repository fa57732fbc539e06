//! Where a delivery comes from: the repository, the ids that lie under it, and its people.

use model::event::{Actor, ActorKind};
use model::git::{is_machine, private_login};
use model::{CommitId, DeploymentId, Environment, GateId, Repository, RunId, TaskId};

use super::payload::{Account, GitUser, Repo};
use crate::people::People;

/// A repository with its host, and the key for the names of its people.
pub(super) struct Place<'a> {
    people: &'a People,
    pub(super) repository: Repository,
}

impl<'a> Place<'a> {
    pub(super) fn new(people: &'a People, repo: &Repo) -> Self {
        Self { people, repository: Repository::from_url(&repo.html_url) }
    }

    /// Name of the GitHub installation, and so the namespace of its accounts: `github.com`.
    fn host(&self) -> &str {
        self.repository.as_str().split('/').next().unwrap_or_default()
    }

    pub(super) fn run(&self, id: u64) -> RunId {
        RunId::new(format!("{}/actions/runs/{id}", self.repository))
    }

    pub(super) fn check_suite(&self, id: u64) -> RunId {
        RunId::new(format!("{}/check-suites/{id}", self.repository))
    }

    /// A workflow job and the check run of the same number are one thing.
    pub(super) fn check(&self, id: u64) -> TaskId {
        TaskId::new(format!("{}/checks/{id}", self.repository))
    }

    pub(super) fn status(&self, commit: &CommitId, context: &str) -> TaskId {
        TaskId::new(format!("{}/statuses/{commit}/{context}", self.repository))
    }

    pub(super) fn deployment(&self, id: u64) -> DeploymentId {
        DeploymentId::new(format!("{}/deployments/{id}", self.repository))
    }

    pub(super) fn review_gate(&self, run: u64, attempt: i32, environment: &Environment) -> GateId {
        GateId::new(format!("{}/attempts/{attempt}/environments/{environment}", self.run(run)))
    }

    pub(super) fn rule_gate(&self, deployment: u64, rule: &str) -> GateId {
        GateId::new(format!("{}/rules/{rule}", self.deployment(deployment)))
    }

    pub(super) fn queue_gate(&self, commit: &CommitId) -> GateId {
        GateId::new(format!("{}/merge-groups/{commit}", self.repository))
    }

    /// An account. `ghost` stands for everybody whose account was deleted, so it is nobody.
    pub(super) fn account(&self, account: Option<&Account>) -> Actor {
        let Some(account) = account else { return Actor::default() };
        let Some(login) = account.login.as_deref().filter(|login| *login != "ghost") else { return Actor::default() };
        let kind = match account.kind.as_deref() {
            _ if is_machine(login) => ActorKind::Machine,
            Some("Bot") => ActorKind::Machine,
            Some("User" | "Mannequin") => ActorKind::Human,
            _ => ActorKind::Unknown,
        };
        self.people.actor(self.host(), login, kind)
    }

    /// Author or committer of a commit: the account if GitHub knows it, or if the address is one of those that GitHub hands out to
    /// keep the real one private; else the address.
    pub(super) fn git_user(&self, user: Option<&GitUser>) -> Actor {
        let Some(user) = user else { return Actor::default() };
        let email = user.email.as_deref().unwrap_or_default();
        if let Some(login) = user.username.as_deref().or_else(|| private_login(self.host(), email)) {
            // Accounts of apps end in `[bot]`; the others are those of type `User`.
            let kind = if is_machine(login) { ActorKind::Machine } else { ActorKind::Human };
            return self.people.actor(self.host(), login, kind);
        }
        let kind = if user.name.as_deref().is_some_and(is_machine) { ActorKind::Machine } else { ActorKind::Unknown };
        self.people.actor("mail", email, kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo(url: &str) -> Repo {
        serde_json::from_str(&format!(r#"{{"html_url":"{url}"}}"#)).unwrap()
    }

    fn git(json: &str) -> GitUser {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn one_person_is_one_actor_by_login_and_by_private_address() {
        let people = People::new(b"k");
        let place = Place::new(&people, &repo("https://github.com/octo-org/shop"));
        let account = Account { login: Some("Octocat".into()), kind: Some("User".into()) };
        let by_login = place.account(Some(&account));
        assert_eq!(by_login.kind, ActorKind::Human);
        for user in [
            r#"{"name":"Mona","email":"mona@example.com","username":"octocat"}"#,
            r#"{"email":"583231+octocat@users.noreply.github.com"}"#,
            r#"{"email":"octocat@users.noreply.github.com"}"#,
        ] {
            assert_eq!(place.git_user(Some(&git(user))), by_login, "{user}");
        }
        let by_mail = place.git_user(Some(&git(r#"{"email":"mona@example.com"}"#)));
        assert_ne!(by_mail.key, by_login.key);
        assert_eq!(by_mail.kind, ActorKind::Unknown);
    }

    #[test]
    fn accounts_of_two_hosts_are_two() {
        let people = People::new(b"k");
        let account = Account { login: Some("octocat".into()), kind: None };
        let key = |url| Place::new(&people, &repo(url)).account(Some(&account)).key;
        assert_ne!(key("https://github.com/a/b"), key("https://github.example.com/a/b"));
    }

    #[test]
    fn machines_are_known_by_type_and_by_name() {
        let people = People::new(b"k");
        let place = Place::new(&people, &repo("https://github.com/octo-org/shop"));
        let kind = |login: &str, kind: Option<&str>| {
            place.account(Some(&Account { login: Some(login.into()), kind: kind.map(Into::into) })).kind
        };
        assert_eq!(kind("dependabot[bot]", None), ActorKind::Machine);
        assert_eq!(kind("Copilot", Some("Bot")), ActorKind::Machine);
        assert_eq!(kind("web-flow", Some("User")), ActorKind::Machine);
        assert_eq!(kind("octocat", None), ActorKind::Unknown);
        for user in [
            r#"{"name":"GitHub","email":"noreply@github.com"}"#,
            r#"{"name":"renovate[bot]","email":"bot@example.com"}"#,
            r#"{"email":"49699333+dependabot[bot]@users.noreply.github.com"}"#,
        ] {
            assert_eq!(place.git_user(Some(&git(user))).kind, ActorKind::Machine, "{user}");
        }
    }

    #[test]
    fn deleted_accounts_are_nobody() {
        let people = People::new(b"k");
        let place = Place::new(&people, &repo("https://github.com/octo-org/shop"));
        let ghost = Account { login: Some("ghost".into()), kind: Some("User".into()) };
        assert_eq!(place.account(Some(&ghost)), Actor::default());
        assert_eq!(place.account(None), Actor::default());
    }
}
