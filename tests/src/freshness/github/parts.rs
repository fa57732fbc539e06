//! What bodies of several kinds have in common, with every member that GitHub documents: most of a body is addresses.

use model::event::{Actor, ActorKind, CommitInfo, PipelineRun};
use model::{CommitId, Repository, Timestamp};
use serde_json::{Map, Value, json};

const API: &str = "https://api.github.com";
const SITE: &str = "https://github.com";

/// Addresses below that of a user.
const OF_USER: [(&str, &str); 9] = [
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

/// Addresses below that of a repository.
const OF_REPOSITORY: [(&str, &str); 36] = [
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
];

/// A time as GitHub writes it: whole seconds.
pub fn time(at: Timestamp) -> Value {
    jiff::Timestamp::from_second(at.0.div_euclid(1000)).map_or(Value::Null, |at| at.to_string().into())
}

/// A number that an id of the history ends in; GitHub's are as long.
pub fn number(id: &str) -> u64 {
    let digits = id.rsplit('/').next().and_then(|last| last.parse::<u64>().ok());
    10_000_000_000 + digits.unwrap_or_default()
}

/// Where a repository is at GitHub.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    owner: &'a str,
    name: &'a str,
}

impl<'a> Place<'a> {
    pub fn of(repository: &'a Repository) -> Self {
        let mut parts = repository.as_str().rsplit('/');
        let name = parts.next().unwrap_or_default();
        Self { name, owner: parts.next().unwrap_or_default() }
    }

    pub const fn owner(&self) -> &str {
        self.owner
    }

    /// An address of the repository in the API.
    pub fn api(&self, below: &str) -> String {
        format!("{API}/repos/{}/{}{below}", self.owner, self.name)
    }

    /// A page of the repository.
    pub fn page(&self, below: &str) -> String {
        format!("{SITE}/{}/{}{below}", self.owner, self.name)
    }

    fn id(&self) -> u64 {
        self.name.bytes().fold(600_000, |id, byte| id * 7 % 900_000_000 + u64::from(byte))
    }

    /// A repository as runs carry it.
    pub fn named(&self) -> Map<String, Value> {
        let Self { owner, name } = self;
        let mut named = json!({
            "id": self.id(),
            "node_id": format!("R_kgDO{:08x}", self.id()),
            "name": name,
            "full_name": format!("{owner}/{name}"),
            "private": true,
            "owner": self.organisation_as_user(),
            "html_url": self.page(""),
            "description": format!("The service {name}"),
            "fork": false,
            "url": self.api(""),
        });
        let members = named.as_object_mut().map(std::mem::take).unwrap_or_default();
        members
            .into_iter()
            .chain(OF_REPOSITORY.map(|(member, below)| (member.to_owned(), self.api(below).into())))
            .collect()
    }

    /// A repository with its settings and figures.
    pub fn whole(&self, at: Timestamp) -> Value {
        let Self { owner, name } = self;
        let mut whole = json!({
            "created_at": "2021-03-01T08:00:00Z",
            "updated_at": time(at),
            "pushed_at": time(at),
            "git_url": format!("git://github.com/{owner}/{name}.git"),
            "ssh_url": format!("git@github.com:{owner}/{name}.git"),
            "clone_url": self.page(".git"),
            "svn_url": self.page(""),
            "homepage": null,
            "size": 48_213,
            "stargazers_count": 3,
            "watchers_count": 3,
            "language": "Rust",
            "has_issues": true,
            "has_projects": true,
            "has_downloads": true,
            "has_wiki": false,
            "has_pages": false,
            "has_discussions": false,
            "forks_count": 0,
            "mirror_url": null,
            "archived": false,
            "disabled": false,
            "open_issues_count": 12,
            "license": null,
            "allow_forking": false,
            "is_template": false,
            "web_commit_signoff_required": false,
            "topics": ["service", "team-owned"],
            "visibility": "internal",
            "forks": 0,
            "open_issues": 12,
            "watchers": 3,
            "default_branch": "main",
            "custom_properties": {},
        });
        if let Some(members) = whole.as_object_mut() {
            members.extend(self.named());
        }
        whole
    }

    fn organisation_as_user(&self) -> Value {
        user(self.owner, 9_000, "Organization")
    }

    fn organisation(&self) -> Value {
        let api = format!("{API}/orgs/{}", self.owner);
        json!({
            "login": self.owner,
            "id": 9_000,
            "node_id": "O_kgDOAAAjKA",
            "url": api,
            "repos_url": format!("{api}/repos"),
            "events_url": format!("{api}/events"),
            "hooks_url": format!("{api}/hooks"),
            "issues_url": format!("{api}/issues"),
            "members_url": format!("{api}/members{{/member}}"),
            "public_members_url": format!("{api}/public_members{{/member}}"),
            "avatar_url": "https://avatars.githubusercontent.com/u/9000?v=4",
            "description": "",
        })
    }

    /// Adds what every body has.
    pub fn wrap(&self, mut body: Value, sender: &Actor, at: Timestamp) -> Value {
        body["repository"] = self.whole(at);
        body["organization"] = self.organisation();
        body["sender"] = account(sender);
        body
    }

    /// A commit as a push lists it.
    pub fn pushed_commit(&self, commit: &CommitInfo) -> Value {
        let at = commit.committed_at.unwrap_or_default();
        let (author, committer) =
            (signature(&commit.author, commit.authored_at), signature(&commit.committer, Some(at)));
        json!({
            "id": commit.id,
            "tree_id": tree(&commit.id),
            "distinct": true,
            "message": message(commit),
            "timestamp": time(at),
            "url": self.page(&format!("/commit/{}", commit.id)),
            "author": author,
            "committer": committer,
            "added": [],
            "removed": [],
            "modified": commit.paths,
        })
    }

    /// A run as everything carries it that has to do with one.
    pub fn run(&self, run: &PipelineRun, status: &str, conclusion: Option<&str>, at: Timestamp) -> Value {
        let (id, name) = (number(run.run.as_str()), file(&run.pipeline));
        let (api, branch) = (self.api(&format!("/actions/runs/{id}")), branch(run.ref_name.as_deref()));
        let (suite, head) = (id + 20_000_000_000, run.commit.as_ref());
        let actor = account(&run.triggered_by);
        json!({
            "id": id,
            "name": run.pipeline,
            "node_id": format!("WFR_kwLO{id:x}"),
            "head_branch": branch,
            "head_sha": head,
            "path": format!(".github/workflows/{name}"),
            "display_title": format!("{} of {branch}", run.pipeline),
            "run_number": run.number,
            "event": trigger(run),
            "status": status,
            "conclusion": conclusion,
            "workflow_id": workflow_id(&run.pipeline),
            "check_suite_id": suite,
            "check_suite_node_id": format!("CS_kwDO{suite:x}"),
            "url": api,
            "html_url": self.page(&format!("/actions/runs/{id}")),
            "pull_requests": [],
            "created_at": time(run.created_at.unwrap_or(at)),
            "updated_at": time(at),
            "actor": actor,
            "run_attempt": run.attempt,
            "referenced_workflows": [],
            "run_started_at": time(run.queued_at.unwrap_or(at)),
            "triggering_actor": actor,
            "jobs_url": format!("{api}/jobs"),
            "logs_url": format!("{api}/logs"),
            "check_suite_url": self.api(&format!("/check-suites/{suite}")),
            "artifacts_url": format!("{api}/artifacts"),
            "cancel_url": format!("{api}/cancel"),
            "rerun_url": format!("{api}/rerun"),
            "previous_attempt_url": null,
            "workflow_url": self.api(&format!("/actions/workflows/{}", workflow_id(&run.pipeline))),
            "head_commit": {
                "id": head,
                "tree_id": head.map(tree),
                "message": "Change what the pull request says",
                "timestamp": time(run.created_at.unwrap_or(at)),
                "author": { "name": login(&run.triggered_by), "email": email(&run.triggered_by) },
                "committer": { "name": "GitHub", "email": "noreply@github.com" },
            },
            "repository": self.named(),
            "head_repository": self.named(),
        })
    }

    /// The file of a run's workflow.
    pub fn workflow(&self, run: &PipelineRun) -> Value {
        let (id, name) = (workflow_id(&run.pipeline), file(&run.pipeline));
        json!({
            "id": id,
            "node_id": format!("W_kwDO{id:x}"),
            "name": run.pipeline,
            "path": format!(".github/workflows/{name}"),
            "state": "active",
            "created_at": "2021-03-01T08:00:00Z",
            "updated_at": "2023-09-12T10:14:00Z",
            "url": self.api(&format!("/actions/workflows/{id}")),
            "html_url": self.page(&format!("/blob/main/.github/workflows/{name}")),
            "badge_url": self.page(&format!("/workflows/{}/badge.svg", run.pipeline)),
        })
    }
}

/// An account that acts.
pub fn account(actor: &Actor) -> Value {
    let kind = if actor.kind == ActorKind::Machine { "Bot" } else { "User" };
    user(&login(actor), u64::from_str_radix(key(actor), 16).unwrap_or_default(), kind)
}

fn user(login: &str, id: u64, kind: &str) -> Value {
    let api = format!("{API}/users/{login}");
    let mut user = json!({
        "login": login,
        "id": id,
        "node_id": format!("U_kgDO{id:08x}"),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
        "gravatar_id": "",
        "url": api,
        "html_url": format!("{SITE}/{login}"),
        "type": kind,
        "user_view_type": "public",
        "site_admin": false,
    });
    for (member, below) in OF_USER {
        user[member] = format!("{api}{below}").into();
    }
    user
}

/// Enough of the hash that stands for an account in the history to tell it from others.
fn key(actor: &Actor) -> &str {
    actor.key.as_deref().and_then(|key| key.get(..7)).unwrap_or("0000000")
}

fn login(actor: &Actor) -> String {
    match actor.kind {
        ActorKind::Machine => format!("robot-{}[bot]", key(actor)),
        ActorKind::Human | ActorKind::Unknown => format!("person-{}", key(actor)),
    }
}

fn email(actor: &Actor) -> String {
    format!("{}@example.com", key(actor))
}

fn signature(actor: &Actor, at: Option<Timestamp>) -> Value {
    let login = login(actor);
    json!({ "name": login, "email": email(actor), "date": at.map(time), "username": login })
}

/// The tree of a commit: any other id.
fn tree(commit: &CommitId) -> String {
    commit.as_str().chars().rev().collect()
}

fn message(commit: &CommitInfo) -> String {
    let number = commit.changes.first().map(|change| format!(" (#{change})")).unwrap_or_default();
    let touched = commit.paths.iter().flatten().map(|path| format!("* {path}\n")).collect::<String>();
    format!("Change what the pull request says{number}\n\nIt touches\n\n{touched}")
}

/// Name of a branch without `refs/heads/`.
pub fn branch(ref_name: Option<&str>) -> &str {
    ref_name.map_or("main", |name| name.strip_prefix("refs/heads/").unwrap_or(name))
}

fn file(pipeline: &str) -> String {
    format!("{pipeline}.yml")
}

fn workflow_id(pipeline: &str) -> u64 {
    pipeline.bytes().fold(50_000_000, |id, byte| id + u64::from(byte))
}

/// Name of the event that started a run.
fn trigger(run: &PipelineRun) -> &'static str {
    use model::event::Trigger;
    match run.trigger {
        Trigger::Change => "pull_request",
        Trigger::Manual => "workflow_dispatch",
        _ => "push",
    }
}
