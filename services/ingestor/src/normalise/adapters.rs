//! Which adapters there are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::providers::Provider;
use crate::providers::cdevents::CdEvents;
use crate::providers::github::GitHub;
use crate::providers::import::Import;

/// Adapters by the name of their provider.
#[derive(Clone, Default)]
pub struct Adapters(BTreeMap<&'static str, Arc<dyn Provider>>);

/// All adapters of this version.
#[must_use]
pub fn adapters() -> Adapters {
    Adapters::default().with(CdEvents).with(GitHub).with(Import)
}

impl Adapters {
    /// The same with one more; it replaces one of the same name.
    #[must_use]
    pub fn with(mut self, adapter: impl Provider + 'static) -> Self {
        self.0.insert(adapter.name(), Arc::new(adapter));
        self
    }

    /// The adapter of a provider.
    #[must_use]
    pub fn get(&self, provider: &str) -> Option<&dyn Provider> {
        self.0.get(provider).map(Arc::as_ref)
    }

    /// Names of the providers, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

impl fmt::Debug for Adapters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
