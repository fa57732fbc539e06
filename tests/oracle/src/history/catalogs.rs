//! Catalogs: what the components are, where they go, and when their people work.

use model::event::{
    Catalog, CatalogCalendar, CatalogComponent, CatalogEnvironment, CatalogGate, CatalogTeam, Marker, MarkerKind, Tier,
};
use model::{Component, Millis, Repository};

use super::moves::{Calendars, Layout};
use super::story::{MINUTE, Story};

impl Story {
    /// `grows`: the catalog has a higher revision than the one before; else it comes under the same.
    pub fn catalog(&mut self, layout: Layout, calendars: Calendars, grows: bool) {
        self.catalog_revision += i64::from(grows);
        let turn = self.number() as usize;
        let mut components = components(layout, turn, &self.repository(0));
        for (n, component) in components.iter_mut().enumerate() {
            component.calendar = named(calendars, turn + n).map(str::to_owned);
        }
        let environment = |name: &str, alias: &str, tier| CatalogEnvironment {
            environment: name.into(),
            aliases: vec![alias.to_owned()],
            tier,
        };
        let environments = match layout {
            Layout::Environments => {
                vec![environment("live", "prod*", Tier::Production), environment("canary", "eu", Tier::Staging)]
            }
            _ => Vec::new(),
        };
        self.tell(Catalog {
            revision: self.catalog_revision,
            teams: vec![CatalogTeam { team: "team shop".into() }],
            components,
            environments,
            gates: vec![CatalogGate { gate: "board".into(), kind: None, purposes: vec!["latency".into()] }],
            calendars: declared(calendars, turn),
        });
    }
}

fn components(layout: Layout, turn: usize, shop: &Repository) -> Vec<CatalogComponent> {
    let component = |name: &str| CatalogComponent {
        component: Component::new(name),
        team: Some(format!("team {name}")),
        repository: Some(shop.clone()),
        paths: Vec::new(),
        excluded_paths: Vec::new(),
        services: Vec::new(),
        markers: markers(layout, turn),
        partial_counts: layout == Layout::Partial,
        attribution_window: (layout == Layout::Markers).then_some(Millis(60 * MINUTE)),
        baseline_none: layout == Layout::NoBaseline,
        calendar: None,
    };
    let part = |name: &str| CatalogComponent {
        paths: vec![format!("{name}/**")],
        excluded_paths: vec![format!("{name}/*-1")],
        ..component(name)
    };
    match layout {
        Layout::Empty => Vec::new(),
        Layout::One | Layout::Partial | Layout::NoBaseline | Layout::Environments | Layout::Markers => {
            vec![component("shop")]
        }
        Layout::Monorepo => vec![part("api"), part("web")],
        Layout::Services => {
            let of_web = CatalogComponent { services: vec!["web".into()], repository: None, ..component("frontend") };
            vec![component("shop"), of_web]
        }
    }
}

/// Everything that may count as a deployment; what comes first does.
fn markers(layout: Layout, turn: usize) -> Vec<Marker> {
    let mut kinds =
        [MarkerKind::Deployment, MarkerKind::Pipeline, MarkerKind::Task, MarkerKind::Tag, MarkerKind::Release];
    kinds.rotate_left(turn % 5);
    let environment = (!turn.is_multiple_of(3)).then(|| "production".into());
    let marker = |kind| Marker { kind, name: None, environment: environment.clone() };
    if layout == Layout::Markers { kinds.into_iter().map(marker).collect() } else { Vec::new() }
}

/// Names of the calendars that there may be.
const NAMES: [&str; 6] = ["office", "always", "abroad", "early", "island", "capital"];

/// The calendar that a component names.
fn named(calendars: Calendars, n: usize) -> Option<&'static str> {
    match calendars {
        // One in four leaves it to the default.
        Calendars::Choice => NAMES.get(n % 4 + n % 3).copied().filter(|_| !n.is_multiple_of(4)),
        Calendars::Missing => Some("nowhere"),
        Calendars::None | Calendars::Office | Calendars::Default | Calendars::Senseless => None,
    }
}

/// The calendars of a catalog.
fn declared(calendars: Calendars, turn: usize) -> Vec<CatalogCalendar> {
    let all = NAMES.map(calendar);
    match calendars {
        Calendars::None => Vec::new(),
        Calendars::Office | Calendars::Missing => vec![calendar("office")],
        Calendars::Default => vec![all[turn % NAMES.len()].clone()],
        Calendars::Choice => {
            let mut all = all.to_vec();
            all.rotate_left(turn % NAMES.len());
            all
        }
        Calendars::Senseless => vec![CatalogCalendar { zone: "Mars/Olympus".into(), ..calendar("office") }],
    }
}

/// A calendar by its name. Holidays are those of the times in which histories play, some of them on days that are off anyway, or named
/// twice.
fn calendar(name: &str) -> CatalogCalendar {
    let (zone, work_days, (day_starts, day_ends), holidays): (_, &[i32], _, &[&str]) = match name {
        "always" => ("UTC", &[1, 2, 3, 4, 5, 6, 7], (0, 1440), &["2023-11-16", "2024-03-09"]),
        "abroad" => ("America/New_York", &[], (537, 1031), &["2024-03-11", "2023-11-23", "2024-03-09", "2024-03-11"]),
        // Over the hours at which clocks are set.
        "early" => ("Europe/Berlin", &[6, 7, 1, 2, 3], (45, 205), &["2023-11-01", "2024-04-01"]),
        "island" => ("Australia/Lord_Howe", &[1, 2, 3, 4, 5, 6, 7], (105, 1335), &["2024-04-05"]),
        // There the clock is set at midnight.
        "capital" => ("America/Santiago", &[1, 2, 3, 4, 5, 6, 7], (0, 707), &["2023-10-27", "2024-03-29"]),
        _ => {
            ("Europe/Berlin", &[1, 2, 3, 4, 5], (540, 1020), &["2023-11-15", "2023-11-18", "2023-10-28", "2024-03-30"])
        }
    };
    CatalogCalendar {
        calendar: name.into(),
        zone: zone.into(),
        work_days: work_days.to_vec(),
        day_starts,
        day_ends,
        holidays: holidays.iter().map(|day| (*day).to_owned()).collect(),
    }
}
