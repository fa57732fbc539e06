//! What happens to the files of catalogs: each with its log line and its numbers.

use std::path::Path;

use model::Realm;
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};
use tracing::{error, info, warn};

/// The metrics of the files of catalogs.
#[derive(Clone, Debug)]
pub struct Metrics {
    wrong: IntGaugeVec,
    put: IntCounterVec,
    revision: IntGaugeVec,
}

impl Metrics {
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &["realm"])?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let put = IntCounterVec::new(
            Opts::new("throughline_catalog_put_total", "Catalogs put into the inbox because their file had changed."),
            &["realm"],
        )?;
        registry.register(Box::new(put.clone()))?;
        let wrong = "1 while the catalog's file cannot be used, and the catalog before it stays in force.";
        let revision = "Revision of the catalog that the file was last found in force as, or put as.";
        Ok(Self {
            wrong: gauge("throughline_catalog_file_wrong", wrong)?,
            put,
            revision: gauge("throughline_catalog_revision", revision)?,
        })
    }

    /// A file is followed: its numbers are there from now on.
    pub fn followed(&self, realm: &Realm, file: &Path) {
        info!(realm = realm.as_str(), file = %file.display(), "following the catalog's file");
        self.wrong.with_label_values(&[realm.as_str()]).set(0);
        self.put.with_label_values(&[realm.as_str()]).inc_by(0);
    }

    /// The file cannot be used.
    pub fn wrong(&self, realm: &Realm, why: &anyhow::Error) {
        error!(realm = realm.as_str(), error = format!("{why:#}"), "the catalog before it stays in force");
        self.wrong.with_label_values(&[realm.as_str()]).set(1);
    }

    /// The file says what is in force already.
    pub fn unchanged(&self, realm: &Realm, revision: i64) {
        info!(realm = realm.as_str(), revision, "the catalog's file is in force");
        self.right(realm, revision);
    }

    /// The file was put into the inbox.
    pub fn put(&self, realm: &Realm, revision: i64) {
        info!(realm = realm.as_str(), revision, "the catalog's file has changed and is put in force");
        self.put.with_label_values(&[realm.as_str()]).inc();
        self.right(realm, revision);
    }

    fn right(&self, realm: &Realm, revision: i64) {
        self.wrong.with_label_values(&[realm.as_str()]).set(0);
        self.revision.with_label_values(&[realm.as_str()]).set(revision);
    }

    /// What is in force could not be found out, or the catalog not be put: it is tried again.
    pub fn away(&self, realm: &Realm, why: &anyhow::Error) {
        warn!(realm = realm.as_str(), error = format!("{why:#}"), "the catalog's file waits for Kafka");
    }
}
