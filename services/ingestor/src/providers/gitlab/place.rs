//! Where a delivery comes from: the project, the ids that lie under it, and its people.

use model::event::{Actor, ActorKind};
use model::{DeploymentId, GateId, Repository, RunId, TaskId};

use super::payload::{Account, GitUser};
use crate::people::People;

/// A project with its host, and the key for the names of its people.
pub(super) struct Place<'a> {
    pub(super) people: &'a People,
    /// Page of the project.
    page: String,
    pub(super) repository: Repository,
}

/// Until a deployment is approved.
pub(super) fn approval_gate(deployment: &DeploymentId) -> GateId {
    GateId::new(format!("{deployment}/approval"))
}

impl<'a> Place<'a> {
    pub(super) fn new(people: &'a People, web_url: &str) -> Self {
        let page = web_url.trim().trim_end_matches('/').to_owned();
        Self { people, repository: Repository::from_url(&page), page }
    }

    /// Name of the GitLab installation, and so the namespace of its accounts: `gitlab.com`.
    fn host(&self) -> &str {
        self.repository.as_str().split('/').next().unwrap_or_default()
    }

    /// A page of the project: `/-/jobs/7`.
    pub(super) fn page(&self, path: &str) -> String {
        format!("{}/-/{path}", self.page)
    }

    pub(super) fn run(&self, id: u64) -> RunId {
        RunId::new(format!("{}/-/pipelines/{id}", self.repository))
    }

    pub(super) fn job(&self, id: u64) -> TaskId {
        TaskId::new(format!("{}/-/jobs/{id}", self.repository))
    }

    /// What a job deploys. It is named by the job, which makes one deployment at most: pipelines and jobs name no other id.
    pub(super) fn deployment_of(&self, job: u64) -> DeploymentId {
        DeploymentId::new(format!("{}/deployment", self.job(job)))
    }

    /// A deployment that no job makes.
    pub(super) fn deployment(&self, id: u64) -> DeploymentId {
        DeploymentId::new(format!("{}/-/deployments/{id}", self.repository))
    }

    /// Until somebody starts a job.
    pub(super) fn manual_gate(&self, job: u64) -> GateId {
        GateId::new(format!("{}/manual", self.job(job)))
    }

    /// An account, else its address. `ghost` stands for everybody whose account was deleted, so it is nobody.
    pub(super) fn account(&self, account: Option<&Account>) -> Actor {
        let Some(account) = account else { return Actor::default() };
        match account.username.as_deref() {
            Some("ghost") => Actor::default(),
            Some(username) => self.username(username),
            None => self.address(account.email.as_deref()),
        }
    }

    pub(super) fn username(&self, username: &str) -> Actor {
        let kind = if is_machine(username) { ActorKind::Machine } else { ActorKind::Human };
        self.people.actor(self.host(), username, kind)
    }

    /// Author of a commit: the account if the address is one of those that GitLab hands out to keep the real one private, such as
    /// `1234-mona@users.noreply.gitlab.com`; else the address.
    pub(super) fn git_user(&self, user: Option<&GitUser>) -> Actor {
        self.address(user.and_then(|user| user.email.as_deref()))
    }

    fn address(&self, email: Option<&str>) -> Actor {
        let email = email.filter(|email| email.contains('@')).unwrap_or_default();
        match self.private_username(email) {
            Some(username) => self.username(username),
            None => self.people.actor("mail", email, ActorKind::Unknown),
        }
    }

    fn private_username<'e>(&self, email: &'e str) -> Option<&'e str> {
        let (local, domain) = email.split_once('@')?;
        let (id, username) = local.split_once('-')?;
        let is_private = domain.strip_prefix("users.noreply.") == Some(self.host());
        (is_private && id.bytes().all(|b| b.is_ascii_digit())).then_some(username)
    }
}

/// By the names that GitLab gives: to the users of access tokens (`project_7_bot_4a1c`, `group_7_bot_4a1c`), to service accounts
/// (`service_account_4a1c`) and to its own (`support-bot`, `GitLabDuo`); and by the custom of ending a name in `bot`.
fn is_machine(username: &str) -> bool {
    let name = username.to_ascii_lowercase();
    let id = name.strip_prefix("project_").or_else(|| name.strip_prefix("group_"));
    let of_token = id.is_some_and(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("_bot"));
    let named_so = ["-bot", "_bot", "[bot]"].iter().any(|end| name.ends_with(end));
    of_token || named_so || name.starts_with("service_account_") || name == "gitlabduo"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(people: &People) -> Place<'_> {
        Place::new(people, "https://gitlab.com/Octo-Group/Shop/")
    }

    fn named(username: &str) -> Account {
        Account { username: Some(username.into()), ..Account::default() }
    }

    #[test]
    fn one_person_is_one_actor_by_name_and_by_private_address() {
        let people = People::new(b"k");
        let place = place(&people);
        let by_name = place.account(Some(&named("Octo-Cat")));
        let of_address = |email: &str| place.git_user(Some(&GitUser { email: Some(email.into()) }));
        assert_eq!(of_address("1234-octo-cat@users.noreply.gitlab.com"), by_name);
        for email in ["octo-cat@users.noreply.gitlab.com", "1-octo-cat@users.noreply.gitlab.example.com", "octo-cat"] {
            assert_ne!(of_address(email).key, by_name.key, "{email}");
        }
        assert_eq!(of_address("[REDACTED]"), Actor::default());
        let elsewhere = Place::new(&people, "https://gitlab.example.com/octo-group/shop");
        assert_ne!(elsewhere.account(Some(&named("octo-cat"))).key, by_name.key);
    }

    #[test]
    fn machines_are_known_by_the_names_that_gitlab_gives() {
        let people = People::new(b"k");
        let kind = |username: &str| place(&people).account(Some(&named(username))).kind;
        for username in ["project_7_bot_4a1c", "group_7_bot1", "service_account_4a1c", "support-bot", "GitLabDuo"] {
            assert_eq!(kind(username), ActorKind::Machine, "{username}");
        }
        for username in ["mona", "robot", "abbot", "project_manager"] {
            assert_eq!(kind(username), ActorKind::Human, "{username}");
        }
        assert_eq!(place(&people).account(Some(&named("ghost"))), Actor::default());
    }

    #[test]
    fn ids_and_pages_lie_under_the_project() {
        let people = People::new(b"k");
        let place = place(&people);
        assert_eq!(place.job(7).as_str(), "gitlab.com/octo-group/shop/-/jobs/7");
        assert_eq!(place.page("jobs/7"), "https://gitlab.com/Octo-Group/Shop/-/jobs/7");
    }
}
