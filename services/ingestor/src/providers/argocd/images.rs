//! Which images a sync deployed.
//!
//! `status.summary.images` lists those of everything that runs at the moment. While a rollout is under way, and before Argo CD has
//! looked again, they are those of the version before, or of both. So they count only once the application turned healthy after the
//! sync began, and of an image with several tags it is not known which one was deployed.

use std::collections::BTreeMap;

use model::{ArtifactId, Timestamp};

use super::shape::Application;

/// Images that the sync which began then has certainly deployed.
pub(super) fn deployed(app: &Application, started_at: Timestamp) -> Vec<ArtifactId> {
    let health = &app.status.health;
    let succeeded = app.status.operation_state.as_ref().is_some_and(|state| state.phase == "Succeeded");
    let turned = health.last_transition_time.0.is_some_and(|at| at >= started_at);
    if !succeeded || !turned || health.status.as_deref() != Some("Healthy") {
        return Vec::new();
    }
    let mut by_name = BTreeMap::<&str, Vec<&str>>::new();
    for image in &app.status.summary.images {
        by_name.entry(name(image)).or_default().push(image);
    }
    let only = |images: Vec<&str>| match images[..] {
        [image] => Some(ArtifactId::new(image)),
        _ => None,
    };
    by_name.into_values().filter_map(only).collect()
}

/// An image without its tag and its digest.
fn name(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        // A colon before the last slash is that of a port.
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_a_name_without_its_tag() {
        for image in ["ghcr.io/acme/shop:1.4", "ghcr.io/acme/shop", "ghcr.io/acme/shop:1@sha256:0f"] {
            assert_eq!(name(image), "ghcr.io/acme/shop", "{image}");
        }
        assert_eq!(name("localhost:5000/shop"), "localhost:5000/shop");
    }
}
