//! Which adapters there are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::providers::{PROVIDERS, Provider};

/// Adapters by the name of their provider.
#[derive(Clone, Default)]
pub struct Adapters(BTreeMap<&'static str, Adapter>);

/// An adapter of [`PROVIDERS`], or one that was made with something of its own, such as rules of the configuration.
#[derive(Clone)]
enum Adapter {
    Shared(&'static dyn Provider),
    Own(Arc<dyn Provider>),
}

/// All adapters of this version.
#[must_use]
pub fn adapters() -> Adapters {
    Adapters(PROVIDERS.iter().map(|provider| (provider.name(), Adapter::Shared(*provider))).collect())
}

impl Adapters {
    /// The same with one more; it replaces one of the same name.
    #[must_use]
    pub fn with(mut self, adapter: impl Provider + 'static) -> Self {
        self.0.insert(adapter.name(), Adapter::Own(Arc::new(adapter)));
        self
    }

    /// The adapter of a provider.
    #[must_use]
    pub fn get(&self, provider: &str) -> Option<&dyn Provider> {
        self.0.get(provider).map(|adapter| match adapter {
            Adapter::Shared(adapter) => *adapter,
            Adapter::Own(adapter) => adapter.as_ref(),
        })
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
