//! Histories in place of deliveries: what a provider shows of its present is read from the gap's begin on.
//!
//! GitLab lists what a webhook sent for a few days and without what was answered by nobody, PagerDuty not at all; what either has of
//! merge requests, pipelines, deployments or incidents stays. Read again, it tells nothing twice.

use std::sync::Arc;

use backfill::http::Client;
use backfill::{BackfillError, Cursor, Delivery, Part as _, Sink, gitlab, pagerduty};
use model::{Millis, Timestamp};
use secrecy::SecretString;
use tokio::sync::mpsc;

use super::provider::{ApiError, Ask, Asked, Asking, Later, Loss, Recovery, later, refusal};
use super::take::Take;
use crate::chain;
use crate::receive::{ApiConfig, PutError};
use crate::secret::Secret;
use crate::sources::Counts;

/// Deliveries read ahead of the inbox.
const READ_AHEAD: usize = 64;
/// Clocks differ, and what begins in the gap may have been touched just before it.
const MARGIN: Millis = Millis(-60_000);

/// A provider whose history is read.
pub(super) enum Histories {
    /// Its projects.
    GitLab(Vec<(Client, String)>),
    /// All incidents that the key may read.
    PagerDuty(Box<Client>),
}

impl Histories {
    pub(super) fn gitlab(api: &ApiConfig) -> Result<Self, ApiError> {
        let token = plain(api)?.map(Secret::resolve).transpose()?;
        Self::projects(api, token)
    }

    pub(super) fn pagerduty(api: &ApiConfig) -> Result<Self, ApiError> {
        match plain(api)? {
            Some(token) => Self::incidents(api, &token.resolve()?),
            None => Err(ApiError::NoToken),
        }
    }

    /// Checks what can be checked without getting a token.
    pub(super) fn check_gitlab(api: &ApiConfig) -> Result<(), ApiError> {
        plain(api)?;
        Self::projects(api, None).map(drop)
    }

    /// Checks what can be checked without getting a token.
    pub(super) fn check_pagerduty(api: &ApiConfig) -> Result<(), ApiError> {
        plain(api)?.ok_or(ApiError::NoToken)?;
        Self::incidents(api, &SecretString::default()).map(drop)
    }

    fn projects(api: &ApiConfig, token: Option<SecretString>) -> Result<Self, ApiError> {
        if api.repositories.is_empty() {
            return Err(ApiError::NoRepositories);
        }
        let project = |text: &String| {
            let address = gitlab::Address::parse(text)?;
            let root = api.root.as_deref().unwrap_or(&address.api);
            Ok((Client::new(gitlab::api(root, token.clone()))?, address.project))
        };
        Ok(Self::GitLab(api.repositories.iter().map(project).collect::<Result<_, ApiError>>()?))
    }

    fn incidents(api: &ApiConfig, token: &SecretString) -> Result<Self, ApiError> {
        let root = api.root.as_deref().unwrap_or(pagerduty::API);
        Ok(Self::PagerDuty(Box::new(Client::new(pagerduty::api(root, token))?)))
    }

    async fn close(&self, asked: &Asked, take: &Take) -> Result<Recovery, Later> {
        let read = match self {
            Self::GitLab(projects) => Self::read_projects(projects, asked.interval.from + MARGIN, take).await?,
            Self::PagerDuty(client) => {
                let query = pagerduty::Query { since: asked.interval.from + MARGIN };
                read(
                    take,
                    |sink| async move { pagerduty::resume(client, &query, Cursor::default(), &|_| (), &sink).await },
                )
                .await?
            }
        };
        let mut recovery = Recovery::default();
        match read {
            Ok(history) => recovery.counts = Counts { history, ..Counts::default() },
            Err(refused) => {
                let reason = format!("the history is not to be had: {refused}");
                recovery.lost = Some(Loss { part: asked.interval, reason, mendable: true });
            }
        }
        Ok(recovery)
    }

    async fn read_projects(
        projects: &[(Client, String)],
        since: Timestamp,
        take: &Take,
    ) -> Result<Result<u64, String>, Later> {
        let mut count = 0;
        for (client, project) in projects {
            let parts = gitlab::Part::all().iter().copied().collect();
            let query = gitlab::Query { project: project.clone(), since, parts, paths: false };
            let reading =
                |sink: Sink| async move { gitlab::resume(client, &query, Cursor::default(), &|_| (), &sink).await };
            match read(take, reading).await? {
                Ok(told) => count += told,
                refused => return Ok(refused),
            }
        }
        Ok(Ok(count))
    }
}

/// The token, where nothing is configured that GitHub alone has.
fn plain(api: &ApiConfig) -> Result<Option<&Secret>, ApiError> {
    match (&api.hook, api.app, &api.private_key) {
        (None, None, None) => Ok(api.token.as_ref()),
        _ => Err(ApiError::GitHubAlone),
    }
}

/// Reads a history into the inbox; how many deliveries it was told in, or why it is not to be had.
pub(super) async fn read<F>(take: &Take, reading: impl FnOnce(Sink) -> F) -> Result<Result<u64, String>, Later>
where
    F: Future<Output = Result<(), BackfillError>>,
{
    let (deliveries, mut told) = mpsc::channel::<Delivery>(READ_AHEAD);
    let reading = reading(Sink { deliveries, progress: Arc::new(|_| ()) });
    let taking = async move {
        let mut count = 0;
        while let Some(delivery) = told.recv().await {
            take.history(delivery).await?;
            count += 1;
        }
        Ok::<_, PutError>(count)
    };
    // A reader that nobody takes anything from ends.
    let (read, taken) = tokio::join!(reading, taking);
    let count = taken.map_err(later)?;
    match read {
        Ok(()) => Ok(Ok(count)),
        Err(BackfillError::Http(error)) => refusal(error).map(Err),
        Err(error) => Ok(Err(chain(&error))),
    }
}

impl Ask for Histories {
    fn ask<'a>(&'a self, asked: &'a Asked, take: &'a Take) -> Asking<'a> {
        Box::pin(self.close(asked, take))
    }
}
