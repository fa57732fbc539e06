//! Whether each part can do its work, and what it waits for: the answer of `/readyz`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// The state of all parts of the process. Clones share it.
#[derive(Clone, Default)]
pub struct Readiness {
    parts: Arc<Mutex<BTreeMap<&'static str, State>>>,
}

/// The handle by which one part tells its state.
#[derive(Clone)]
pub struct Part {
    name: &'static str,
    readiness: Readiness,
}

enum State {
    /// It waits for this.
    Waiting(String),
    /// It is ready for good.
    Ready,
    /// It is ready while the check says so; else it waits for what the text says.
    Checked(Box<dyn Fn() -> bool + Send>, &'static str),
}

/// The answer: the process is ready if each part is.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub ready: bool,
    pub parts: BTreeMap<&'static str, PartReport>,
}

/// The answer for one part.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct PartReport {
    pub ready: bool,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Readiness {
    /// Announces a part, which is not ready yet.
    pub fn part(&self, name: &'static str) -> Part {
        let part = Part { name, readiness: self.clone() };
        part.waiting("is starting");
        part
    }

    /// The state of everything right now.
    pub fn report(&self) -> Report {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let parts: BTreeMap<_, _> = parts.iter().map(|(name, state)| (*name, state.report())).collect();
        Report { ready: parts.values().all(|part| part.ready), parts }
    }

    fn set(&self, name: &'static str, state: State) {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(name, state);
    }
}

impl Part {
    /// Not ready: it waits for this.
    pub fn waiting(&self, reason: impl Into<String>) {
        self.readiness.set(self.name, State::Waiting(reason.into()));
    }

    /// Ready for good.
    pub fn ready(&self) {
        self.readiness.set(self.name, State::Ready);
    }

    /// Ready while the check says so; `otherwise` says what it waits for while it does not.
    pub fn ready_while(&self, check: impl Fn() -> bool + Send + 'static, otherwise: &'static str) {
        self.readiness.set(self.name, State::Checked(Box::new(check), otherwise));
    }
}

impl State {
    fn report(&self) -> PartReport {
        match self {
            Self::Waiting(reason) => PartReport { ready: false, reason: Some(reason.clone()) },
            Self::Checked(check, otherwise) if !check() => {
                PartReport { ready: false, reason: Some((*otherwise).to_owned()) }
            }
            Self::Ready | Self::Checked(..) => PartReport { ready: true, reason: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn the_process_is_as_ready_as_its_last_part() {
        let readiness = Readiness::default();
        let (topics, load) = (readiness.part("topics"), readiness.part("load"));
        topics.waiting("Kafka at localhost:9092 does not answer");
        let up = Arc::new(AtomicBool::new(false));
        let check = Arc::clone(&up);
        load.ready_while(move || check.load(Ordering::Relaxed), "ClickHouse does not answer");
        assert_eq!(
            serde_json::to_value(readiness.report()).unwrap(),
            serde_json::json!({"ready": false, "parts": {
                "load": {"ready": false, "reason": "ClickHouse does not answer"},
                "topics": {"ready": false, "reason": "Kafka at localhost:9092 does not answer"},
            }})
        );
        topics.ready();
        assert!(!readiness.report().ready);
        up.store(true, Ordering::Relaxed);
        assert!(readiness.report().ready);
    }
}
