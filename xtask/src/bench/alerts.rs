//! `bench alerts`: how soon a sustained shift of lead time is found, how often one is found that is none, and whether the segment
//! that is named is the right one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use end_to_end::shifts::measured::{self, Group, Plan, SIZES};
use end_to_end::shifts::trials::{History, Order, Outcome, Place, Planted, spots};
use end_to_end::shifts::{Half, Measure, Rule, Track, curve, orders};
use fastrand::Rng;
use model::fact::ReleaseKind;
use reviewer::shift::{Direction, Ended, Noticed, Rules, examine};
use serde::Serialize;

use crate::report::{Report, columns};

/// Where the picture is kept.
const PICTURE: &str = "services/reviewer/docs/operating-curve.svg";

/// Histories of so many releases before a shift.
const SHORT: [usize; 4] = [20, 30, 50, 100];

#[derive(Debug, Args)]
pub struct Alerts {
    /// Folder of histories: `govuk` and `git`.
    #[arg(long, value_name = "FOLDER", default_value = "../shared/data/histories")]
    data: PathBuf,
    /// The same seed gives the same figures.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// At how many releases shifts are planted, for each way of measuring and each half of the components.
    #[arg(long, default_value_t = 300)]
    runs: usize,
    /// Into how many orders each history is shuffled.
    #[arg(long, default_value_t = 20)]
    orders: usize,
    /// Where the picture is written.
    #[arg(long, value_name = "FILE", default_value = PICTURE)]
    picture: PathBuf,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

/// The figures; shares of one, rounded to thousandths.
#[derive(Debug, Serialize)]
struct Verdict {
    runs: usize,
    found_2x_10: f64,
    found_1_5x_20: f64,
    segment_right: f64,
    false_per_component_year: f64,
    naive_found_1_5x_20: f64,
    naive_factor: f64,
    /// Only components on which nothing was chosen.
    held_out: Figures,
    /// Shifts planted into shuffled orders.
    shuffled: Found,
    false_per_component_year_blocks: f64,
    false_per_component_year_busiest: f64,
    real_alarms: usize,
    real_component_years: f64,
}

#[derive(Debug, Serialize)]
struct Figures {
    found_2x_10: f64,
    found_1_5x_20: f64,
    segment_right: f64,
    false_per_component_year: f64,
}

#[derive(Debug, Serialize)]
struct Found {
    found_2x_10: f64,
    found_1_5x_20: f64,
}

impl Alerts {
    pub fn run(&self) -> Result<ExitCode> {
        let report = Report::new(self.json);
        let tracks = Track::read_all(&self.data)?;
        report.progress(format!("{} histories; planting and shuffling", tracks.len()));
        let (rules, plan) = (Rules::default(), Plan { runs: self.runs, orders: self.orders, seed: self.seed });
        let rule = Rule::Shift(rules.clone());
        let groups = measured::measure(&tracks, &rule, plan, &|text| report.progress(text));
        let counting: Vec<&Group> = groups.iter().filter(|group| group.counts()).collect();
        report.show(by_group(&groups));
        report.show(delays(&counting));
        report.show(segments(&counting));

        report.progress("short histories");
        report.show(self.short_histories(&tracks, &rule));
        report.progress("means of seven days over thirty");
        let naive = Naive::measure(&tracks, measured::wrong(&counting, |group| group.falsely).per_year(), plan);
        report.show(naive.text());
        report.progress("the order as it was");
        let (listed, real_alarms, real_component_years) = in_real_order(&tracks, &rules);
        report.show(listed);

        self.draw(&counting, &naive)?;
        report.progress(format!("the picture is {}", self.picture.display()));
        report.finish(&verdict(&counting, &naive, real_alarms, real_component_years))?;
        Ok(ExitCode::SUCCESS)
    }

    fn draw(&self, groups: &[&Group], naive: &Naive) -> Result<()> {
        let panels = measured::panels(groups, &[("7 d / 30 d".to_owned(), naive.same.clone())]);
        let subtitle = "Share of planted shifts that are found, by releases since; real order of GOV.UK's releases";
        let svg = curve::svg("How soon a sustained shift is found", subtitle, &panels);
        let folder = self.picture.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        std::fs::write(&self.picture, svg).with_context(|| format!("{} cannot be written", self.picture.display()))
    }

    /// What is found where there are few releases before.
    fn short_histories(&self, tracks: &[Track], rule: &Rule) -> String {
        let tracks: Vec<&Track> = tracks.iter().filter(|track| track.measure != Measure::CommitToTag).collect();
        let mut rows = vec![row(["releases before", "order", "1.5 × in 20", "2 × in 10", "3 × in 10"])];
        for releases in SHORT {
            for (order, name) in [(Order::Real, "real"), (Order::Shuffled, "shuffled")] {
                let mut rng = Rng::with_seed(self.seed);
                let drawn = spots(&tracks, rule, order, History::of(releases), self.runs, &mut rng);
                let planted = Planted::at(drawn, rule, &[Place::Everything], &SIZES);
                let found = |size, within| percent(curve::share(&planted.outcomes[&(Place::Everything, size)], within));
                rows.push(row([&releases.to_string(), name, &found(1500, 20), &found(2000, 10), &found(3000, 10)]));
            }
        }
        columns(&rows, |column| column != 1) + "\n"
    }
}

/// The rule that people write.
struct Naive {
    /// Factor with which it is wrong as often as ours.
    factor: f64,
    /// Shifts of 1.5 × with that factor.
    same: Vec<Outcome>,
    /// Shifts of 1.5 × with the factor that people write.
    written: Vec<Outcome>,
    /// How often that is wrong.
    wrong: f64,
}

impl Naive {
    const WRITTEN: f64 = 1.5;

    fn measure(tracks: &[Track], per_year: f64, plan: Plan) -> Self {
        let tracks: Vec<&Track> = tracks.iter().filter(|track| track.measure != Measure::CommitToTag).collect();
        let mut rng = Rng::with_seed(plan.seed);
        let factor = orders::factor_of_means(&tracks, per_year, plan.orders, &mut rng);
        let mut outcomes = |factor| {
            let rule = Rule::Means { factor };
            let drawn = spots(&tracks, &rule, Order::Real, History::FULL, plan.runs * 6, &mut rng);
            Planted::at(drawn, &rule, &[Place::Everything], &[1500]).outcomes.into_values().flatten().collect()
        };
        let (same, written) = (outcomes(factor), outcomes(Self::WRITTEN));
        let rule = Rule::Means { factor: Self::WRITTEN };
        let mut wrong = orders::Falsely::default();
        for track in &tracks {
            wrong.add(orders::falsely(&rule, track, 1, plan.orders, &mut rng));
        }
        Self { factor, same, written, wrong: wrong.per_year() }
    }

    fn text(&self) -> String {
        format!(
            "Mean of 7 days over {:.1} × the mean of 30 (as often wrong as ours): 1.5 × in 20 {}\n\
             Mean of 7 days over 1.5 × the mean of 30 (as people write it): 1.5 × in 20 {}, {:.1} false alarms a component-year\n",
            self.factor,
            percent(curve::share(&self.same, 20)),
            percent(curve::share(&self.written, 20)),
            self.wrong
        )
    }
}

fn verdict(groups: &[&Group], naive: &Naive, real_alarms: usize, real_component_years: f64) -> Verdict {
    let held_out: Vec<&Group> = groups.iter().copied().filter(|group| group.half == Half::HeldOut).collect();
    let right = |groups: &[&Group]| thousandths(measured::segment_right(groups, &[1500, 2000], None));
    let found = |groups: &[&Group], order, size, within| thousandths(measured::found(groups, order, size, within));
    let wrong = |groups: &[&Group]| thousandths(measured::wrong(groups, |group| group.falsely).per_year());
    Verdict {
        runs: measured::runs(groups),
        found_2x_10: found(groups, Order::Real, 2000, 10),
        found_1_5x_20: found(groups, Order::Real, 1500, 20),
        segment_right: right(groups),
        false_per_component_year: wrong(groups),
        naive_found_1_5x_20: thousandths(curve::share(&naive.same, 20)),
        naive_factor: thousandths(naive.factor),
        held_out: Figures {
            found_2x_10: found(&held_out, Order::Real, 2000, 10),
            found_1_5x_20: found(&held_out, Order::Real, 1500, 20),
            segment_right: right(&held_out),
            false_per_component_year: wrong(&held_out),
        },
        shuffled: Found {
            found_2x_10: found(groups, Order::Shuffled, 2000, 10),
            found_1_5x_20: found(groups, Order::Shuffled, 1500, 20),
        },
        false_per_component_year_blocks: thousandths(measured::wrong(groups, |group| group.blocks).per_year()),
        false_per_component_year_busiest: thousandths(groups.iter().map(|group| group.most).fold(0.0, f64::max)),
        real_alarms,
        real_component_years: thousandths(real_component_years),
    }
}

fn by_group(groups: &[Group]) -> String {
    let head = [
        "",
        "half",
        "runs",
        "drawn",
        "1.5 × in 20",
        "2 × in 10",
        "shuffled: 1.5 ×",
        "2 ×",
        "segment",
        "false/y",
        "busiest",
        "blocks",
    ];
    let mut rows = vec![row(head)];
    for group in groups {
        let one = [group];
        let found = |order, size, within| percent(measured::found(&one, order, size, within));
        rows.push(vec![
            group.measure.name().to_owned(),
            half(group.half).to_owned(),
            group.real.spots.to_string(),
            group.real.drawn.to_string(),
            found(Order::Real, 1500, 20),
            found(Order::Real, 2000, 10),
            found(Order::Shuffled, 1500, 20),
            found(Order::Shuffled, 2000, 10),
            percent(measured::segment_right(&one, &[1500, 2000], None)),
            format!("{:.3}", group.falsely.per_year()),
            format!("{:.2}", group.most),
            format!("{:.2}", group.blocks.per_year()),
        ]);
    }
    columns(&rows, |column| column > 1) + "\n"
}

/// The operating curve in numbers.
fn delays(groups: &[&Group]) -> String {
    let mut rows = vec![row(["everything", "order", "in 5", "in 10", "in 20", "in 40", "half after", "95 % after"])];
    for size in SIZES {
        for (order, name) in [(Order::Real, "real"), (Order::Shuffled, "shuffled")] {
            let outcomes = measured::outcomes(groups, order, size, |place| place == Place::Everything);
            let found = |within| percent(curve::share(&outcomes, within));
            let after =
                |releases: Option<usize>| releases.map_or_else(|| "–".to_owned(), |releases| releases.to_string());
            let (half, most) = measured::delays(&outcomes);
            let cells = [
                &measured::label(size),
                name,
                &found(5),
                &found(10),
                &found(20),
                &found(40),
                &after(half),
                &after(most),
            ];
            rows.push(row(cells));
        }
    }
    columns(&rows, |column| column != 1) + "\n"
}

fn segments(groups: &[&Group]) -> String {
    let mut rows = vec![row(["one segment", "measured", "1.5 × in 20", "2 × in 10", "named rightly"])];
    for measure in Measure::ALL {
        let groups: Vec<&Group> = groups.iter().copied().filter(|group| group.measure == measure).collect();
        for part in measure.parts().iter().filter(|_| !groups.is_empty()) {
            let found = |size, within| {
                let outcomes =
                    measured::outcomes(&groups, Order::Real, size, |place| place == Place::Segment(part.segment));
                percent(curve::share(&outcomes, within))
            };
            let right = percent(measured::segment_right(&groups, &[1500, 2000], Some(part.segment)));
            rows.push(row([part.name, measure.name(), &found(1500, 20), &found(2000, 10), &right]));
        }
    }
    columns(&rows, |column| column > 1) + "\n"
}

/// Every alarm in the order as it was, how many there are, and in how many years of components.
fn in_real_order(tracks: &[Track], rules: &Rules) -> (String, usize, f64) {
    let mut rows = vec![row(["component", "since", "told", "before", "after", "ratio", "bounds", "cause", "over"])];
    let mut years = 0.0;
    for track in tracks {
        years += track.years();
        for noticed in examine(&track.releases, ReleaseKind::Regular, &[], rules).shifts {
            if noticed.direction == Direction::Slower {
                rows.push(alarm(track, &noticed));
            }
        }
    }
    let alarms = rows.len() - 1;
    (columns(&rows, |column| (3..=5).contains(&column)) + "\n", alarms, years)
}

fn alarm(track: &Track, noticed: &Noticed) -> Vec<String> {
    let day = |place: usize| {
        let at = track.releases.get(place).map(|release| release.at.to_string()).unwrap_or_default();
        at.split('T').next().unwrap_or_default().to_owned()
    };
    let shift = &noticed.shift;
    let times = |thousandths: i64| format!("{:.2}", thousandths as f64 / 1000.0);
    let cause = shift.cause().and_then(|cause| track.measure.part(cause.segment));
    let over = match noticed.ended {
        Some(Ended::Back(place)) => format!("back {}", day(place)),
        Some(Ended::Settled(place)) => format!("usual {}", day(place)),
        Some(Ended::Acknowledged(_) | Ended::Welcome) | None => "stands".to_owned(),
    };
    vec![
        track.name(),
        day(shift.since),
        day(noticed.at),
        format!("{} s", shift.before.0 / 1000),
        format!("{} s", shift.after.0 / 1000),
        times(shift.ratio.estimate),
        format!("{} to {}", times(shift.ratio.low), times(shift.ratio.high)),
        cause.unwrap_or("several").to_owned(),
        over,
    ]
}

const fn half(half: Half) -> &'static str {
    match half {
        Half::Chosen => "chosen on",
        Half::HeldOut => "held out",
    }
}

fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    cells.into_iter().map(str::to_owned).collect()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
