//! Parts of the review of a release.

use model::CommitId;
use model::event::{Actor, ActorKind, ReviewState};
use model::fact::ReleaseFact;

use crate::world::World;

/// Fills the parts of the review of the change that brought in `commit`, where somebody else than its author looked at it before the
/// merge: until that, from there to the last approval that was not dismissed, and from there to the merge.
pub fn tell_review(world: &World, row: &mut ReleaseFact, commit: &CommitId) {
    let Some(end) = row.production_at else { return };
    let Some((_, change)) = world.brought_by(commit) else { return };
    let Some((merged_at, _)) = change.merged else { return };
    let way = world.way(commit);
    // The commit's own instants, in order and within its span.
    let Some(start) = way.authored_at.filter(|start| *start < end) else { return };
    let merged = way.merged_at.or(way.committed_at).unwrap_or(start).max(start).min(end);
    let opened = way.opened_at.unwrap_or(merged).max(start).min(merged);
    let author = change.author.as_ref().and_then(|author| author.key.as_ref());
    let another = |by: &Actor| by.kind != ActorKind::Machine && (by.key.is_none() || by.key.as_ref() != author);
    let seen = change.reviews.iter().filter(|review| review.at <= merged_at && another(&review.by));
    let dismissed: Vec<&String> = change
        .reviews
        .iter()
        .filter(|review| review.verdict == ReviewState::Dismissed)
        .map(|review| &review.id)
        .collect();
    let approvals =
        seen.clone().filter(|review| review.verdict == ReviewState::Approved && !dismissed.contains(&&review.id));
    let Some(first) = seen.map(|review| review.at.max(opened).min(merged)).min() else { return };
    let last_approval = approvals.map(|review| review.at.max(opened).min(merged)).max();
    row.review_pickup = Some(first - opened);
    row.review_approval = last_approval.map(|at| at - first);
    row.review_merge = Some(merged - last_approval.unwrap_or(first));
}
