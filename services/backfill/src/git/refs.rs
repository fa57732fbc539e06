//! Branches and tags, and what would change commits if it were followed.

use std::fs;

use gix::ObjectId;
use gix::objs::Kind;
use gix::refs::TargetRef;
use model::event::{Actor, Tag, TagAction};
use model::{CommitId, Repository, Timestamp};

use super::commits::{account, seconds};
use super::lines::{count, deliver, progress};
use super::{Error, Options};
use crate::Sink;

/// The branch that is read.
pub(super) struct Branch {
    pub name: Option<String>,
    pub tip: Option<ObjectId>,
}

/// A tag that leads to a commit.
pub(super) struct Tagged {
    pub name: String,
    pub commit: ObjectId,
    /// By its tagger, else by its commit.
    pub at: Timestamp,
    /// Who made it: name and address.
    tagger: Option<(String, String)>,
}

pub(super) struct Tags {
    /// In the order of time.
    pub found: Vec<Tagged>,
    pub of_no_commit: u64,
}

/// The branch of that name, else the default one: that of the remote `origin`, else the head. Of a branch that is there and at the
/// remote, that at the remote counts, which others see as well.
pub(super) fn branch(repository: &gix::Repository, asked: Option<&str>) -> Result<Branch, Error> {
    if let Some(name) = asked {
        let found = tip(repository, &format!("refs/remotes/origin/{name}"))?;
        let found = found.map_or_else(|| tip(repository, &format!("refs/heads/{name}")), |tip| Ok(Some(tip)))?;
        return match found {
            Some(tip) => Ok(Branch { name: Some(name.to_owned()), tip: Some(tip) }),
            None => Err(Error::NoBranch { branch: name.to_owned(), there: branches(repository)? }),
        };
    }
    for head in ["refs/remotes/origin/HEAD", "HEAD"] {
        if let Some(tip) = tip(repository, head)? {
            return Ok(Branch { name: pointed(repository, head)?, tip: Some(tip) });
        }
    }
    match branches(repository)? {
        none if none.is_empty() => Ok(Branch { name: None, tip: None }),
        there => Err(Error::NoDefaultBranch { there }),
    }
}

fn references(source: gix::Error) -> Error {
    Error::References(Box::new(source))
}

/// Commit that a reference leads to; none where it is not there, or leads to a branch without one.
fn tip(repository: &gix::Repository, name: &str) -> Result<Option<ObjectId>, Error> {
    let Some(mut reference) = repository.try_find_reference(name).map_err(references)? else { return Ok(None) };
    Ok(reference.peel_to_commit().ok().map(|commit| commit.id))
}

/// Name of the branch that a head points to.
fn pointed(repository: &gix::Repository, head: &str) -> Result<Option<String>, Error> {
    let reference = repository.try_find_reference(head).map_err(references)?;
    Ok(reference.and_then(|reference| match reference.target() {
        TargetRef::Symbolic(name) => Some(short(&name.as_bstr().to_string())),
        TargetRef::Object(_) => None,
    }))
}

fn short(name: &str) -> String {
    let local = name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/remotes/origin/"));
    local.unwrap_or(name).to_owned()
}

fn branches(repository: &gix::Repository) -> Result<Vec<String>, Error> {
    let all = repository.references().map_err(references)?;
    let mut names = Vec::new();
    for reference in all.local_branches().map_err(references)?.chain(all.remote_branches().map_err(references)?) {
        names.push(short(&reference.map_err(references)?.name().as_bstr().to_string()));
    }
    names.retain(|name| name != "HEAD");
    names.sort();
    names.dedup();
    Ok(names)
}

/// The tags that are asked for.
pub(super) fn tags(repository: &gix::Repository, options: &Options) -> Result<Tags, Error> {
    let mut tags = Tags { found: Vec::new(), of_no_commit: 0 };
    let all = repository.references().map_err(references)?;
    for reference in all.tags().map_err(references)? {
        let mut reference = reference.map_err(references)?;
        let name = reference.name().as_bstr().to_string();
        let name = name.strip_prefix("refs/tags/").unwrap_or(&name).to_owned();
        if options.tags.as_ref().is_some_and(|pattern| !pattern.is_match(&name)) {
            continue;
        }
        match reference.follow_to_object().ok().and_then(|id| tagged(repository, name, id.detach())) {
            Some(tag) if options.since.is_some_and(|since| tag.at < since) => {}
            Some(tag) => tags.found.push(tag),
            None => tags.of_no_commit += 1,
        }
    }
    tags.found.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
    Ok(tags)
}

/// Follows a tag, and a tag of a tag, to its commit; none where it is one of a tree or a file, or something is missing.
fn tagged(repository: &gix::Repository, name: String, mut id: ObjectId) -> Option<Tagged> {
    let (mut made_at, mut tagger) = (None, None);
    loop {
        let object = repository.find_object(id).ok()?;
        match object.kind {
            Kind::Tag => {
                let tag = object.try_into_tag().ok()?;
                let by = tag.tagger().ok().flatten().filter(|_| made_at.is_none());
                made_at = made_at.or_else(|| seconds(by.as_ref()?));
                tagger = tagger.or_else(|| by.map(|by| (by.name.to_string(), by.email.to_string())));
                id = tag.target_id().ok()?.detach();
            }
            Kind::Commit => {
                let commit = object.try_into_commit().ok()?;
                let at = made_at.or_else(|| seconds(&commit.committer().ok()?))?;
                return Some(Tagged { name, commit: id, at, tagger });
            }
            Kind::Tree | Kind::Blob => return None,
        }
    }
}

/// Delivers the tags, one by one.
pub(super) fn tell(name: &Repository, tags: &[Tagged], sink: &Sink) -> Result<(), Error> {
    progress(sink, "tags", 0, Some(tags.len()));
    for tag in tags {
        let told = Tag {
            commit: Some(CommitId::new(tag.commit.to_string())),
            created_at: Some(tag.at),
            actor: tag.tagger.as_ref().map_or_else(Actor::default, |(by, address)| account(name, by, address)),
            ..Tag::new(name.clone(), tag.name.clone(), TagAction::Tagged)
        };
        deliver(tag.at, told, sink)?;
    }
    progress(sink, "tags", tags.len(), Some(tags.len()));
    Ok(())
}

/// Grafts and replacements that are there. Neither is followed.
pub(super) fn grafts(repository: &gix::Repository) -> Result<u64, Error> {
    let file = fs::read_to_string(repository.common_dir().join("info/grafts")).unwrap_or_default();
    let grafts = file.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).count();
    let all = repository.references().map_err(references)?;
    let prefix = b"refs/replace/".as_slice();
    let replaced = all.prefixed(prefix).map_err(references)?.count();
    Ok(count(grafts + replaced))
}
