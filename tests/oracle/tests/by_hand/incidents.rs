//! Incidents, and the releases that they belong to.

use model::IncidentId;
use model::fact::{Grade, IncidentState};

use super::*;

fn incident(id: &str, service: &str) -> Incident {
    Incident { services: vec![service.into()], ..Incident::new(IncidentId::new(id)) }
}

fn detected(incident: Incident) -> Body {
    IncidentDetected { incident, detected_at: None, detected_by: Actor::default() }.into()
}

/// 1, 2 and 3 come to production at 1:00, 10:00 and 12:00. At 11:00 something is noticed in the shop, and nobody says more. At 13:30
/// something else is noticed that began at 13:00 and names the last deployment; it is taken on at 13:40 and over at 15:00. At 16:00
/// there is trouble in another service.
fn troubled() -> Tables {
    let about = References { deployment: Some("c".into()), ..References::default() };
    let named = Incident { about: vec![about], started_at: time(13, 0), ..incident("named", "acme/shop") };
    let bare = Incident::new(IncidentId::new("named"));
    let acknowledged_by = person("ann");
    let taken_on = IncidentAcknowledged { incident: bare.clone(), acknowledged_at: None, acknowledged_by };
    let over = IncidentResolved { incident: bare, resolved_at: None, resolved_by: person("ann") };
    tables(vec![
        (0, pushed("main", None, &[(1, 0)])),
        (at(1, 0), deployed("a", 1).into()),
        (at(9, 0), pushed("main", Some(1), &[(2, at(8, 0))])),
        (at(10, 0), deployed("b", 2).into()),
        (at(11, 0), detected(incident("noticed", "acme/shop"))),
        (at(11, 30), pushed("main", Some(2), &[(3, at(11, 20))])),
        (at(12, 0), deployed("c", 3).into()),
        (at(13, 30), detected(named)),
        (at(13, 40), taken_on.into()),
        (at(15, 0), over.into()),
        (at(16, 0), detected(incident("elsewhere", "billing"))),
    ])
}

#[test]
fn an_incident_is_as_long_as_the_trouble() {
    let rows = rows!(troubled(), Incident);
    let of = |id: &str| rows.iter().find(|row| row.incident.as_str() == id).unwrap();
    let named = of("named");
    assert_eq!((named.state, named.grade, named.attributions), (IncidentState::Resolved, Grade::Explicit, 1));
    assert_eq!((named.at, named.started_at), (Timestamp(at(13, 30)), time(13, 0)));
    // From 13:00 to 13:40 and to 15:00.
    assert_eq!((named.time_to_acknowledge, named.time_to_restore), (minutes(40), minutes(120)));
    let noticed = of("noticed");
    assert_eq!((noticed.state, noticed.grade, noticed.attributions), (IncidentState::Detected, Grade::Window, 1));
    assert_eq!((noticed.time_to_acknowledge, noticed.time_to_restore), (None, None));
    let elsewhere = of("elsewhere");
    assert_eq!((elsewhere.grade, elsewhere.attributions), (Grade::Unattributed, 0));
    assert_eq!(elsewhere.components, ["billing".into()]);
}

#[test]
fn the_release_that_is_named_or_came_last_is_to_blame() {
    let mut rows = rows!(troubled(), IncidentAttribution);
    rows.sort_by(|a, b| a.incident.cmp(&b.incident));
    let [named, noticed] = &rows[..] else { panic!("two incidents have a release") };
    assert_eq!((named.incident.as_str(), named.version.clone()), ("named", version(3)));
    assert_eq!((named.grade, named.candidates, named.deployment.clone()), (Grade::Explicit, 1, Some("c".into())));
    // From 12:00 to 13:00.
    assert_eq!(named.after_deployment, minutes(60));
    assert_eq!((noticed.incident.as_str(), noticed.version.clone()), ("noticed", version(2)));
    assert_eq!((noticed.grade, noticed.candidates, noticed.deployment.clone()), (Grade::Window, 1, Some("b".into())));
    // From 10:00 to 11:00.
    assert_eq!(noticed.after_deployment, minutes(60));
}

#[test]
fn a_release_has_failed_until_the_trouble_is_over() {
    let tables = troubled();
    let first = release(&tables, 1);
    assert_eq!((first.failed, first.rework, first.incidents), (false, false, 0));
    let second = release(&tables, 2);
    assert_eq!((second.failed, second.rework, second.incidents, second.recovery), (true, false, 1, None));
    // From 13:00 to 15:00. When it came, the trouble with the one before was not over.
    let third = release(&tables, 3);
    assert_eq!((third.failed, third.rework, third.incidents), (true, true, 1));
    assert_eq!((third.recovered_at, third.recovery), (time(15, 0), minutes(120)));
}
