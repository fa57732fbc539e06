//! Where the time of a review went.

use model::event::{Actor, ActorKind, ReviewState};
use model::{Millis, Timestamp};

use super::path::Joining;
use crate::graph::Place;
use crate::state::State;

/// Parts of a review; together they are all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewParts {
    /// From the opening of the change to the first review by somebody else.
    pub pickup: Millis,
    /// From there to the last approval; none where no approval is known.
    pub approval: Option<Millis>,
    /// From there to the merge; from the first review where no approval is known.
    pub merge: Millis,
}

impl State {
    /// Parts of the review of the change that brought a commit in. None where no review by another person is known before the merge:
    /// that nobody told of one does not mean that nobody looked. What an automation account says is no review, and an approval that
    /// was dismissed is none either.
    pub(super) fn review_parts(&self, place: Place, joining: Joining) -> Option<ReviewParts> {
        let (_, change, merged_at) = self.brought_by(place)?;
        let author = change.author.0.as_ref().and_then(|author| author.key.as_ref());
        let another = |by: &Actor| by.kind != ActorKind::Machine && (by.key.is_none() || by.key.as_ref() != author);
        let reviews = || change.reviews.iter().filter(|(at, _, _, by)| *at <= merged_at && another(by));
        let dismissed =
            |id: &str| change.reviews.iter().any(|(_, of, state, _)| *state == ReviewState::Dismissed && of == id);
        let approvals = reviews().filter(|(_, id, state, _)| *state == ReviewState::Approved && !dismissed(id));
        let times = |at: &Timestamp| (*at).clamp(joining.opened, joining.merged);
        let picked_up = reviews().map(|(at, ..)| times(at)).min()?;
        let approved = approvals.map(|(at, ..)| times(at)).max();
        Some(ReviewParts {
            pickup: picked_up - joining.opened,
            approval: approved.map(|at| at - picked_up),
            merge: joining.merged - approved.unwrap_or(picked_up),
        })
    }
}
