//! GitHub: the deliveries of the webhook for three days, and the history before them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backfill::Sink;
use backfill::github::hook::{Hook, Missed};
use backfill::github::{self, Address, App, Credential, Cursor, Part, Query, ROOT, TOLD, resume};
use backfill::http::{Api, Client, HttpError};
use model::{Millis, Timestamp};

use super::histories;
use super::provider::{ApiError, Ask, Asked, Asking, Later, Loss, Recovery, later, refusal};
use super::take::Take;
use crate::providers::github::EVENTS;
use crate::receive::ApiConfig;
use crate::secret::Secret;
use crate::sources::{Counts, Interval};

/// Clocks differ, and a delivery may be under way when the front door closes.
const MARGIN: Millis = Millis(60_000);
/// What was sent again so many times is not asked for once more.
const REDELIVERIES: usize = 3;

/// GitHub, asked about one webhook and some repositories.
pub(super) struct GitHub {
    /// The webhook, and who may ask for its deliveries.
    hook: Option<(Hook, Arc<Client>)>,
    /// Each with who may read its history.
    repositories: Vec<(Arc<Client>, Address)>,
    /// Names of deliveries that were fetched since the start: where some have to be waited for, the others are not fetched again.
    fetched: Mutex<HashSet<String>>,
}

/// What the API still has of the time since the begin of the gap.
struct Deliveries {
    recovery: Recovery,
    /// Before that it has nothing.
    complete_since: Timestamp,
    why: String,
}

/// Who asks.
enum Who<'a> {
    Anybody,
    Token(&'a Secret),
    App(u64, &'a Secret),
}

impl<'a> Who<'a> {
    fn of(api: &'a ApiConfig) -> Result<Self, ApiError> {
        match (&api.token, api.app, &api.private_key, &api.hook) {
            (None, None, None, _) => Ok(Self::Anybody),
            (Some(token), None, None, _) => Ok(Self::Token(token)),
            (None, Some(id), Some(key), None) => Ok(Self::App(id, key)),
            _ => Err(ApiError::Who),
        }
    }
}

impl GitHub {
    pub(super) fn new(api: &ApiConfig) -> Result<Self, ApiError> {
        let credential = match Who::of(api)? {
            Who::Anybody => None,
            Who::Token(token) => Some(Credential::Token(token.resolve()?)),
            Who::App(id, key) => Some(Credential::App(App::new(id, &key.resolve().map_err(ApiError::Secret)?)?)),
        };
        Self::with(api, credential)
    }

    /// Checks what can be checked without getting a token or a key.
    pub(super) fn check(api: &ApiConfig) -> Result<(), ApiError> {
        Who::of(api)?;
        Self::with(api, None).map(drop)
    }

    fn with(api: &ApiConfig, credential: Option<Credential>) -> Result<Self, ApiError> {
        let hook = match (&api.hook, api.app) {
            (Some(text), _) => Some(Hook::parse(text)?),
            (None, Some(_)) => Some(Hook::of_app()),
            (None, None) => None,
        };
        if hook.is_none() && api.repositories.is_empty() {
            return Err(ApiError::Nothing);
        }
        let repositories = api.repositories.iter().map(|text| Address::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let root = github::api(api.root.as_deref().unwrap_or(ROOT), None);
        let own = Arc::new(match &credential {
            Some(Credential::App(app)) => app.clone().client(root.clone())?,
            Some(Credential::Token(token)) => Client::new(Api { token: Some(token.clone()), ..root.clone() })?,
            None => Client::new(root.clone())?,
        });
        let reader = |at: &Address| match &credential {
            // Each installation of an App has tokens of its own.
            Some(app @ Credential::App(_)) => app.clone().client(root.clone(), &at.owner, &at.name).map(Arc::new),
            _ => Ok(Arc::clone(&own)),
        };
        let repositories = repositories.into_iter().map(|at| Ok((reader(&at)?, at)));
        let repositories = repositories.collect::<Result<_, HttpError>>()?;
        Ok(Self { hook: hook.map(|hook| (hook, own)), repositories, fetched: Mutex::default() })
    }

    async fn close(&self, asked: &Asked, take: &Take) -> Result<Recovery, Later> {
        let Deliveries { mut recovery, complete_since, why } = self.deliveries(asked, take).await?;
        let part = Interval { from: asked.interval.from, to: complete_since.min(asked.interval.to) };
        if part.from >= part.to {
            return Ok(recovery);
        }
        // That something cannot be had of the earlier part says more than that of the later one.
        let loss = |reason: String, mendable| Some(Loss { part, reason: format!("{why}; {reason}"), mendable });
        if self.repositories.is_empty() {
            recovery.lost = loss("no `repositories` are configured whose history could be read".to_owned(), true);
            return Ok(recovery);
        }
        match self.history(part.from, take).await? {
            Ok(count) => {
                recovery.counts.history = count;
                let untold = untold(asked);
                if !untold.is_empty() {
                    let untold = untold.join(", ");
                    recovery.lost = loss(format!("the history was read, and does not tell of {untold}"), false);
                }
            }
            Err(refused) => recovery.lost = loss(refused, true),
        }
        Ok(recovery)
    }

    /// Fetches what the webhook sent in the interval and nobody took.
    async fn deliveries(&self, asked: &Asked, take: &Take) -> Result<Deliveries, Later> {
        let Interval { from, to } = asked.interval;
        let nothing = |why| Deliveries { recovery: Recovery::default(), complete_since: to, why };
        let Some((hook, client)) = &self.hook else {
            return Ok(nothing("no `hook` is configured whose deliveries could be asked for".to_owned()));
        };
        let since = from + Millis(-MARGIN.0);
        let attempts = match hook.attempts(client, since, asked.now).await {
            Ok(attempts) => attempts,
            Err(error) => {
                let why = refusal(error)?;
                return Ok(nothing(format!(
                    "the deliveries of `hook` are not to be had ({why}): the token needs read access to Webhooks"
                )));
            }
        };
        let (missed, redelivered) = attempts.missed(since, to + MARGIN);
        let mut recovery = Recovery { counts: Counts { redelivered, ..Counts::default() }, ..Recovery::default() };
        let mut gone = Vec::new();
        for missed in missed {
            self.fetch((hook, client), missed, take, &mut recovery, &mut gone).await?;
        }
        if let (Some(first), Some(last)) = (gone.first(), gone.last()) {
            let part = Interval { from: first.first.delivered_at, to: last.first.delivered_at };
            let reason = format!(
                "GitHub has the content of {} deliveries no more, and to send them again did not help or was refused",
                gone.len()
            );
            recovery.lost = Some(Loss { part, reason, mendable: false });
        }
        let why = "GitHub does not keep the deliveries of that time any more".to_owned();
        Ok(Deliveries { recovery, complete_since: attempts.complete_since, why })
    }

    /// Puts one delivery into the inbox, or has it sent again.
    async fn fetch(
        &self,
        (hook, client): (&Hook, &Client),
        missed: Missed,
        take: &Take,
        recovery: &mut Recovery,
        gone: &mut Vec<Missed>,
    ) -> Result<(), Later> {
        if self.fetched().contains(&missed.first.guid) {
            recovery.counts.fetched += 1;
            return Ok(());
        }
        match hook.content(client, &missed.first).await.map_err(later)? {
            Some(content) => {
                take.webhook(&missed.first, content).await.map_err(later)?;
                self.fetched().insert(missed.first.guid);
                recovery.counts.fetched += 1;
            }
            None if missed.redeliveries < REDELIVERIES => {
                match hook.redeliver(client, &missed.first).await {
                    Ok(()) => recovery.waiting += 1,
                    // The token may read and not write.
                    Err(error) if error.status().is_some() => gone.push(missed),
                    Err(error) => return Err(later(error)),
                }
            }
            None => gone.push(missed),
        }
        Ok(())
    }

    /// What was noted stays right if somebody panicked while noting.
    fn fetched(&self) -> MutexGuard<'_, HashSet<String>> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the history since then; how many deliveries it was told in, or why it is not to be had.
    async fn history(&self, since: Timestamp, take: &Take) -> Result<Result<u64, String>, Later> {
        let mut count = 0;
        for (client, Address { owner, name, .. }) in &self.repositories {
            let (owner, name) = (owner.clone(), name.clone());
            let query = Query { owner, name, since, parts: Part::ALL.into(), paths: false };
            let reading = |sink: Sink| async move { resume(client, &query, Cursor::default(), &|_| (), &sink).await };
            match histories::read(take, reading).await? {
                Ok(told) => count += told,
                refused => return Ok(refused),
            }
        }
        Ok(Ok(count))
    }
}

impl Ask for GitHub {
    fn ask<'a>(&'a self, asked: &'a Asked, take: &'a Take) -> Asking<'a> {
        Box::pin(self.close(asked, take))
    }
}

/// What the source sends and a history does not tell, of what is read at all.
fn untold(asked: &Asked) -> Vec<&'static str> {
    let sent = EVENTS.iter().map(|expected| expected.event).filter(|event| asked.names.contains(*event));
    sent.filter(|event| !TOLD.contains(event)).collect()
}
