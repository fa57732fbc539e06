//! Load that does not wait: so many deliveries a second, each sent again until it is accepted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::header::RETRY_AFTER;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::github::{Delivery, GitHub, History};

/// Tasks that send.
const SENDERS: u32 = 8;

/// How long a sender without a word from the other side waits.
const OWN_PAUSE: Duration = Duration::from_secs(2);

/// What a sender was told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// 202.
    Accepted,
    /// 503 with `Retry-After`.
    TryAgainLater,
    /// No other answer is right.
    Wrong(String),
}

/// A history that is being sent.
pub struct Load {
    shared: Arc<Shared>,
    senders: JoinSet<()>,
}

struct Shared {
    github: GitHub,
    history: History,
    next: AtomicU64,
    accepted: AtomicU64,
    stop: AtomicBool,
    answers: Mutex<Vec<(Instant, Answer)>>,
}

impl Load {
    /// Sends a history at `rate` deliveries a second.
    pub fn start(github: &GitHub, history: History, rate: u32) -> Load {
        let shared = Arc::new(Shared {
            github: github.clone(),
            history,
            next: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            answers: Mutex::default(),
        });
        let senders = (0..SENDERS).map(|_| Arc::clone(&shared).send(Duration::from_secs(1) * SENDERS / rate)).collect();
        Load { shared, senders }
    }

    /// What was answered between two moments.
    pub fn answers(&self, from: Instant, to: Instant) -> Vec<Answer> {
        let answers = self.shared.answers.lock().unwrap();
        answers.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, answer)| answer.clone()).collect()
    }

    /// When the next delivery was accepted.
    pub async fn first_accepted_after(&self, moment: Instant) -> Instant {
        super::eventually(Duration::from_secs(60), async || {
            let answers = self.shared.answers.lock().unwrap();
            let found = answers.iter().find(|(at, answer)| *at > moment && *answer == Answer::Accepted);
            found.map(|(at, _)| *at).ok_or_else(|| "nothing is accepted".to_owned())
        })
        .await
    }

    /// Waits until everything that was refused has been accepted, but for what has just been sent.
    pub async fn caught_up(&self, within: Duration) {
        super::eventually(within, async || {
            let Shared { next, accepted, .. } = &*self.shared;
            let open = next.load(Ordering::Relaxed) - accepted.load(Ordering::Relaxed);
            if open > 50 { Err(format!("{open} deliveries are not accepted")) } else { Ok(()) }
        })
        .await;
    }

    /// Sends no more, and waits until all that was sent is accepted; how much that is.
    pub async fn stop(self) -> u64 {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.senders.join_all().await;
        let (sent, accepted) = (&self.shared.next, &self.shared.accepted);
        assert_eq!(sent.load(Ordering::Relaxed), accepted.load(Ordering::Relaxed), "sent and accepted");
        sent.load(Ordering::Relaxed)
    }
}

impl Shared {
    async fn send(self: Arc<Self>, every: Duration) {
        let (mut ticks, mut open) = (interval(every), JoinSet::new());
        while !self.stop.load(Ordering::Relaxed) {
            ticks.tick().await;
            let delivery = self.history.delivery(self.next.fetch_add(1, Ordering::Relaxed));
            open.spawn(Arc::clone(&self).deliver(delivery));
            while open.try_join_next().is_some() {}
        }
        open.join_all().await;
    }

    async fn deliver(self: Arc<Self>, delivery: Delivery) {
        loop {
            let (answer, pause) = self.attempt(&delivery).await;
            let accepted = answer == Answer::Accepted;
            self.answers.lock().unwrap().push((Instant::now(), answer));
            if accepted {
                self.accepted.fetch_add(1, Ordering::Relaxed);
                return;
            }
            sleep(pause).await;
        }
    }

    async fn attempt(&self, delivery: &Delivery) -> (Answer, Duration) {
        let answer = match self.github.send(delivery).await {
            Ok(answer) => answer,
            Err(error) => return (Answer::Wrong(format!("{error:?}")), OWN_PAUSE),
        };
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        match (answer.status().as_u16(), retry_after) {
            (202, _) => (Answer::Accepted, Duration::ZERO),
            (503, Some(seconds)) => (Answer::TryAgainLater, Duration::from_secs(seconds)),
            (status, _) => (Answer::Wrong(format!("{status}")), OWN_PAUSE),
        }
    }
}
