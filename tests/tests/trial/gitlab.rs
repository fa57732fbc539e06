//! With a token: the project at GitLab beside the repository.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use end_to_end::installation;
use serde_json::{Value, json};

use super::gitlab_api::{PAGE, SINCE, World, at, date, sha, world};
use super::releases;
use super::support::{Server, TOKEN};

/// Makes the default branch of that world in a repository. Ids that git gives, by those of the world.
fn make(folder: &Path) -> BTreeMap<String, String> {
    let git = |arguments: &[&str], when: &str| {
        let mut command = std::process::Command::new("git");
        command.arg("-C").arg(folder).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Robin").env(format!("GIT_{role}_EMAIL"), "robin@example.com");
            command.env(format!("GIT_{role}_DATE"), when);
        }
        let output = command.output().expect("git is wanted");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q", "-b", "main"], "");
    let tree = git(&["write-tree"], "");
    let mut ids = BTreeMap::<String, String>::new();
    let first = ("2026-01-01T00:00:00Z".to_owned(), [].as_slice());
    let later: [(u32, String, &[u32]); 5] = [
        (2, date(1, 10), &[1]),
        (11, date(2, 9), &[2]),
        (12, date(2, 10), &[11]),
        (13, date(4, 8), &[2, 12]),
        (24, date(6, 8), &[13]),
    ];
    for (n, when, parents) in [(1, first.0, first.1)].into_iter().chain(later) {
        let parents: Vec<String> = parents.iter().map(|n| ids[&sha(*n)].clone()).collect();
        let (message, when) = (format!("Change {n}"), when.replace(".000", ""));
        let mut arguments = vec!["commit-tree", &tree, "-m", &message];
        arguments.extend(parents.iter().flat_map(|parent| ["-p", parent]));
        let id = git(&arguments, &when);
        ids.insert(sha(n), id);
    }
    git(&["update-ref", "refs/heads/main", &ids[&sha(24)]], "");
    ids
}

/// The world with the ids of git.
fn renamed(world: World, ids: &BTreeMap<String, String>) -> World {
    let rename = |text: &str| ids.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let objects = world
        .objects
        .iter()
        .map(|(path, object)| (rename(path), serde_json::from_str(&rename(&object.to_string())).unwrap()));
    let lists = world
        .lists
        .iter()
        .map(|(path, items)| (rename(path), serde_json::from_str(&rename(&json!(items).to_string())).unwrap()));
    World { objects: objects.collect(), lists: lists.collect(), ..world }
}

async fn tried(arguments: &[&str], folder: &Path, server: &Server, token: Option<&str>) -> Output {
    let binary = tokio::task::spawn_blocking(installation::build).await.unwrap().unwrap();
    let mut command = tokio::process::Command::new(binary);
    command.arg("try").arg(folder).args(["--since", SINCE, "--api", &format!("{}/api/v4", server.root)]);
    command.args(arguments).env_remove("GITHUB_TOKEN").env_remove("GITLAB_TOKEN");
    if let Some(token) = token {
        command.env("GITLAB_TOKEN", token);
    }
    command.output().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_gitlab_shows_what_git_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let ids = make(folder.path());
    let server = Server::serve(renamed(world(), &ids), &[]).await;
    let output = tried(&["--gitlab", PAGE, "--json"], folder.path(), &server, Some(TOKEN)).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["releases_are"], &said["project"]["state"]), (&"deployments".into(), &"read".into()), "{said}");
    assert_eq!(said["unreadable"], json!({}));
    let objects = &said["project"]["objects"];
    let count = |kind: &str| objects[kind].as_u64().unwrap_or(0);
    assert_eq!(["merge_request", "approval", "pipeline", "deployment"].map(count), [4, 2, 5, 4], "{objects}");
    let unseen = said["report"]["unseen"].as_array().unwrap();
    let unseen: Vec<&str> = unseen.iter().map(|unseen| unseen["what"].as_str().unwrap()).collect();
    assert_eq!(unseen, ["incidents"]);

    let releases = releases(&String::from_utf8(output.stdout).unwrap());
    let ended = |day, hour| at(day, hour).parse::<jiff::Timestamp>().unwrap().as_millisecond() / 1000 * 1000;
    for (n, (day, hour), commits) in [(13, (4, 13), 3), (24, (6, 11), 1)] {
        let release = &releases[&ids[&sha(n)]];
        assert_eq!(
            (release["at"].as_i64(), release["commits"].as_i64()),
            (Some(ended(day, hour)), Some(commits)),
            "{n}"
        );
    }

    let output = tried(&["--gitlab", PAGE], folder.path(), &server, Some(TOKEN)).await;
    let said = String::from_utf8(output.stdout).unwrap();
    let heading =
        "acme/backend/shop of GitLab: 4 merge requests, 2 approvals, 5 pipelines, 4 deployments since 2026-03-01";
    assert!(said.contains(heading), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gitlab_is_asked_with_a_token_only() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let server = Server::serve(world(), &[]).await;
    let output = tried(&["--gitlab", PAGE], folder.path(), &server, None).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("set GITLAB_TOKEN"), "{said}");

    let output = tried(&["--repository", "gitlab.com/acme/shop"], folder.path(), &server, None).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("not asked: acme/shop of GitLab; with a token in GITLAB_TOKEN"), "{said}");
    let output = tried(&["--repository", "gitlab.example.com/acme/shop"], folder.path(), &server, Some(TOKEN)).await;
    assert!(output.status.success() && server.requests().is_empty());
}
