//! What holds for every service: what it may do, how much it takes, who reaches it.

use std::path::Path;

use end_to_end::compose::{list, services};
use serde_json::Value;

use crate::project::text;
use crate::{compose, read};

/// What a machine needs to have to itself.
const MEMORY: u64 = 8 << 30;

/// Services that end by themselves.
const TASKS: [&str; 2] = ["migrate", "demo"];

#[test]
fn every_image_is_pinned_and_ours_is_of_this_version() {
    let Some(compose) = compose() else { return };
    for (name, service) in services(&compose.project().unwrap()) {
        let image = service["image"].as_str().unwrap();
        let (_, tag) = image.rsplit_once(':').unwrap_or_else(|| panic!("{name}: {image} has no tag"));
        let numbers = tag.trim_start_matches('v').split('.').filter(|part| part.parse::<u32>().is_ok()).count();
        assert!(numbers >= 3, "{name}: {image} names no release");
        if !service["build"].is_null() {
            assert_eq!(tag, env!("CARGO_PKG_VERSION"), "{name}: {image}");
        }
    }
}

/// What is tested is what is run.
#[test]
fn servers_are_those_of_the_tests() {
    let Some(compose) = compose() else { return };
    let project = compose.project().unwrap();
    let tag = |service: &str| {
        let image = project["services"][service]["image"].as_str().unwrap();
        image.rsplit_once(':').unwrap().1.to_owned()
    };
    assert!(read("deploy/local/pom.xml").contains(&format!("<version>{}</version>", tag("kafka"))), "{}", tag("kafka"));
    let release = tag("clickhouse").split('.').take(2).collect::<Vec<_>>().join(".");
    assert!(read("deploy/local/package.json").contains(&format!("\"{release}.")), "ClickHouse {release}");
    let grafana = format!("Grafana {} ", tag("grafana"));
    assert!(read("deploy/grafana/grafana.env").contains(&grafana), "{grafana}");
}

#[test]
fn nothing_gains_rights_and_everything_that_can_be_read_only_is() {
    let Some(compose) = compose() else { return };
    for (name, service) in services(&compose.project().unwrap()) {
        assert_eq!(service["security_opt"], serde_json::json!(["no-new-privileges:true"]), "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert!(service["privileged"].is_null() && service["network_mode"].is_null(), "{name}");
        // Their images write their configuration beside their programs.
        let writes = ["kafka", "clickhouse"].contains(&name);
        assert_eq!(service["read_only"] == true, !writes, "{name}");
        assert!(!service["logging"]["options"]["max-size"].is_null(), "{name} fills the disk with its log");
    }
}

#[test]
fn everything_fits_into_the_memory_of_a_small_machine() {
    let Some(compose) = compose() else { return };
    let limit = |(name, service): (&str, &Value)| -> u64 {
        let limit = service["mem_limit"].as_str().unwrap_or_else(|| panic!("{name} may take all the memory"));
        limit.parse().unwrap()
    };
    let all: u64 = services(&compose.project().unwrap()).map(limit).sum();
    assert!(all <= MEMORY, "all together {} MiB", all >> 20);
}

#[test]
fn what_runs_is_watched_and_comes_back_and_what_waits_knows_for_what() {
    let Some(compose) = compose() else { return };
    let project = compose.project().unwrap();
    for (name, service) in services(&project) {
        let is_task = TASKS.contains(&name);
        assert_eq!(service["healthcheck"].is_null(), is_task, "{name}");
        let restart = service["restart"].as_str().unwrap_or("no");
        assert_eq!(restart, if is_task { "on-failure:5" } else { "unless-stopped" }, "{name}");
        for (other, on) in service["depends_on"].as_object().into_iter().flatten() {
            let condition =
                if TASKS.contains(&other.as_str()) { "service_completed_successfully" } else { "service_healthy" };
            assert_eq!(on["condition"], condition, "{name} on {other}");
        }
    }
}

#[test]
fn only_webhooks_are_reached_from_outside() {
    let Some(compose) = compose() else { return };
    let mut open = Vec::new();
    for (name, service) in services(&compose.project().unwrap()) {
        for port in list(&service["ports"]) {
            if port["host_ip"] != "127.0.0.1" {
                open.push(format!("{name} {}", port["target"]));
            }
        }
    }
    assert_eq!(open, ["throughline 8080"]);
}

#[test]
fn what_is_mounted_is_there_and_cannot_be_written() {
    let Some(compose) = compose() else { return };
    let project = compose.project().unwrap();
    let mut mounted = 0;
    for (name, service) in services(&project) {
        for volume in list(&service["volumes"]) {
            let (source, target) = (volume["source"].as_str().unwrap(), volume["target"].as_str().unwrap());
            if volume["type"] == "volume" {
                continue;
            }
            let path = Path::new(source);
            assert!(path.exists(), "{name}: {source} is not there");
            assert_eq!(volume["read_only"], true, "{name}: {target} can be written");
            // A file is mounted in the place of a file.
            assert_eq!(path.is_file(), Path::new(target).extension().is_some(), "{name}: {source} at {target}");
            mounted += 1;
        }
    }
    assert!(mounted >= 8, "{mounted}");
}

/// Every secret comes from a variable that must be set.
#[test]
fn no_secret_stands_in_the_file() {
    let Some(compose) = compose() else { return };
    let raw = compose.config(&text(), &compose.env(), &["--no-interpolate"]).unwrap().unwrap();
    let mut secrets = 0;
    for (name, service) in services(&raw) {
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            if ["_PASSWORD", "_SECRET", "_TOKEN", "_KEY"].iter().any(|end| variable.ends_with(end)) {
                let value = value.as_str().unwrap();
                assert!(value.starts_with("${") && value.contains(":?"), "{name}: {variable} is {value}");
                secrets += 1;
            }
        }
    }
    assert!(secrets >= 10, "{secrets}");
}
