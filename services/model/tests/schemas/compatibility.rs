//! A later version can read what any earlier one wrote.

use apache_avro::Schema as Avro;
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};
use model::schema::{self, Subject};
use serde_json::{Value, json};

use crate::parse;

fn can_read(later: &Avro, earlier: &Avro) -> bool {
    // Partly compatible means that some records can be read and some cannot.
    matches!(SchemaCompatibility::can_read(earlier, later), Ok(Compatibility::Full))
}

#[test]
fn every_version_reads_every_earlier_one() {
    for subject in Subject::ALL {
        let versions: Vec<_> = schema::versions(subject).collect();
        for (place, later) in versions.iter().enumerate() {
            for earlier in &versions[..=place] {
                let (new, old) = (&later.line, &earlier.line);
                assert!(
                    can_read(&parse(later), &parse(earlier)),
                    "{}: version {} ({}) cannot read what version {} ({}) wrote",
                    subject.topic(),
                    new.version,
                    new.file,
                    old.version,
                    old.file,
                );
            }
        }
    }
}

/// The test above would find a change that breaks readers: each of these is one, and their counterparts are none.
#[test]
fn the_judge_tells_a_breaking_change_from_a_harmless_one() {
    type Edit = fn(&mut Value);
    let breaking: [(&str, Edit); 6] = [
        ("a field without a default is added", |schema| {
            fields(schema).push(json!({"name": "added", "type": "string"}));
        }),
        ("a field is renamed", |schema| field(schema, "provider")["name"] = json!("adapter_name")),
        ("a type is narrowed", |schema| field(schema, "received_at")["type"] = json!("int")),
        ("null is no longer allowed", |schema| {
            *field(schema, "link") = json!({"name": "link", "type": "string", "default": ""});
        }),
        ("a kind of event is removed", |schema| drop(branches(schema).pop())),
        ("a symbol is removed", |schema| drop(actor_kinds(schema).pop())),
    ];
    let harmless: [(&str, Edit); 5] = [
        ("nothing", |_| ()),
        ("a nullable field is added", |schema| {
            fields(schema).push(json!({"name": "added", "type": ["null", "string"], "default": null}));
        }),
        ("a kind of event is added", |schema| {
            branches(schema).push(json!({"type": "record", "name": "Added", "fields": []}));
        }),
        ("a symbol is added", |schema| actor_kinds(schema).push(json!("added"))),
        ("a type is widened", |schema| field(schema, "index")["type"] = json!("long")),
    ];
    let text = schema::latest(Subject::CiEvents).unwrap().text;
    let earlier = Avro::parse_str(text).unwrap();
    let verdict = |edit: Edit| {
        let mut edited = serde_json::from_str(text).unwrap();
        edit(&mut edited);
        can_read(&Avro::parse(&edited).unwrap(), &earlier)
    };
    for (what, edit) in breaking {
        assert!(!verdict(edit), "{what}, and it is taken as compatible");
    }
    for (what, edit) in harmless {
        assert!(verdict(edit), "{what}, and it is taken as breaking");
    }
}

fn fields(schema: &mut Value) -> &mut Vec<Value> {
    schema["fields"].as_array_mut().unwrap()
}

fn field<'a>(schema: &'a mut Value, name: &str) -> &'a mut Value {
    fields(schema).iter_mut().find(|field| field["name"] == name).unwrap()
}

fn branches(schema: &mut Value) -> &mut Vec<Value> {
    field(schema, "body")["type"].as_array_mut().unwrap()
}

/// The symbols of `ActorKind`, which stands inside `Push`.
fn actor_kinds(schema: &mut Value) -> &mut Vec<Value> {
    fn find(value: &mut Value) -> Option<&mut Vec<Value>> {
        if value.get("name").is_some_and(|name| name == "ActorKind") {
            return value.get_mut("symbols")?.as_array_mut();
        }
        match value {
            Value::Object(object) => object.values_mut().find_map(find),
            Value::Array(items) => items.iter_mut().find_map(find),
            _ => None,
        }
    }
    find(schema).unwrap()
}
