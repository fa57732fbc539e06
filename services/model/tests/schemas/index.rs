//! The index is append-only, and says the truth about the files.

use std::collections::BTreeSet;
use std::path::Path;

use model::schema::{self, Subject};
use sha2::{Digest as _, Sha256};

use crate::parse;

/// Every line that the index ever had. Append only: never edit or remove a line of this table. Records with that id lie in Kafka for
/// years and are read by that schema; a schema that must change gets a new file, a new line in the index and a new line here.
const PINNED: &[(u32, &str, u32, &str)] = &[
    (1, "inbox", 1, "ea929a850f34884e0c0860655ca2a0f220d992842558ba817e15f4f1b9a8418b"),
    (2, "dead-letters", 1, "ed546acdf917b64bf77bb5bdc25576f5256b22810ee275e47373d7f4bcf60699"),
    (3, "ci.events", 1, "faf9d10e851f2428be9aba9439674d703306690c3317b795f07bb228cdf153d1"),
    (4, "approval.events", 1, "5e29902b16b73f3737dddf1d688c08a699f2289643acfd78ff5e5d50d9286809"),
    (5, "incident.events", 1, "1916171fa8e660b9191b9fb3a565d8828c34a83bd78ab211776264276e839bea"),
    (6, "review.events", 1, "8b1f485708d92c01c9043d5a9008b400def30ba32efdee0ce4ca9c2f5ba824b6"),
    (7, "control", 1, "5b6ad3e12423969b715c01490b8c1d353bf2ca4542d185e454978d146b1ce2aa"),
    (8, "facts.releases", 1, "0d4bbccf5b45108fe5e22965f9829e282bc79390ff24343cf84838bbe1437dd6"),
    (9, "facts.deployments", 1, "a67d7b1d25a4821cdcde434397429387f1b6e2e1c8ff524b28b2d89ddc8dc9bf"),
    (10, "facts.release_commits", 1, "4a8239b6ff368c7dc161a34c5a03ba18daa0402dbd4f3a270a54317ff6ca981e"),
    (11, "facts.gate_waits", 1, "eabc6cd9122b9a01d42ed8823c15aff5bc8e520d1bb178b07362f2a3158d3579"),
    (12, "facts.builds", 1, "eae3bfea81faddd988ce0885d57a9d04b640cee3b6a7d7e7d03545ffabc1ef27"),
    (13, "facts.components", 1, "d0909d94654b175fe080d7105a7c098fde627daab55cda71478ec2e40f370813"),
    (14, "facts.build_failures", 1, "12325ee735fc768f3c6733107d92cb7d9ed75b49f80aa8207d4a09edec10fcd5"),
    (15, "facts.manual_steps", 1, "4eb95c5d69d1a8154b932b5a89ba734e5092698c298ab9a45a5d4f538f1faac7"),
    (16, "facts.incidents", 1, "17fde93cb6023ef53871a4920f8134d09b06d1a9100edacbd03966c0f79ee790"),
    (17, "facts.incident_attributions", 1, "7138e588592ef9062a64426d525a32177a8b5143afc066853b845f9ce8830184"),
    (18, "facts.rollup_hourly", 1, "3f520ed908a1f913ab9f895e350f29536644e64b2e52bfe5eb84c12275e965b5"),
    (19, "facts.rollup_daily", 1, "58f69b203cf48e78e60b877fad83e855a938a5392c81fc35cf5279f08a65dc99"),
];

#[test]
fn no_line_is_ever_changed_or_removed() {
    let lines = schema::all().iter().map(|schema| &schema.line);
    let found: Vec<_> = lines.map(|line| (line.id, line.subject.topic(), line.version, line.sha256.as_str())).collect();
    assert_eq!(found, PINNED, "schemas/avro/index.json differs from the lines pinned in this test");
}

#[test]
fn ids_and_versions_have_no_gap() {
    let ids = schema::all().iter().map(|schema| schema.line.id);
    assert!(ids.eq(1..=u32::try_from(schema::all().len()).unwrap()));
    for subject in Subject::ALL {
        let versions: Vec<u32> = schema::versions(subject).map(|schema| schema.line.version).collect();
        assert!(!versions.is_empty(), "{} has no schema", subject.topic());
        assert!(versions.iter().copied().eq(1..=u32::try_from(versions.len()).unwrap()), "{subject:?}: {versions:?}");
    }
}

#[test]
fn digests_are_those_of_the_files() {
    for schema in schema::all() {
        let digest = hex::encode(Sha256::digest(schema.text));
        assert_eq!(digest, schema.line.sha256, "{} was edited: a change needs a new file", schema.line.file);
    }
}

#[test]
fn every_file_stands_in_the_index_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/avro");
    let on_disk: BTreeSet<String> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".avsc"))
        .collect();
    let built_in: Vec<&str> = schema::all().iter().map(|schema| schema.line.file.as_str()).collect();
    let indexed: Vec<schema::IndexLine> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("index.json")).unwrap()).unwrap();
    assert!(
        built_in.iter().eq(indexed.iter().map(|line| &line.file)),
        "a file of the index is not built in: {built_in:?}"
    );
    assert_eq!(built_in.len(), on_disk.len());
    assert!(built_in.iter().all(|file| on_disk.contains(*file)));
}

#[test]
fn every_schema_is_valid_and_told_to_people() {
    for schema in schema::all() {
        let apache_avro::Schema::Record(record) = parse(schema) else { panic!("{} is no record", schema.line.file) };
        assert_eq!(record.name.namespace(), Some("throughline"));
        assert!(record.doc.is_some(), "{} has no doc", schema.line.file);
        for field in &record.fields {
            assert!(field.doc.is_some(), "{}: `{}` has no doc", schema.line.file, field.name);
        }
    }
}
