use std::ops::ControlFlow;

use stream::append::Appender;
use stream::topics::{CI_EVENTS, CONTROL, INBOX};
use stream::{Output, scan};

/// More than one transaction holds.
const N: usize = 10_100;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_is_there_once_and_its_ends_are_told() {
    let kafka = crate::with_topics(2).await;
    let (config, metrics) = (kafka.0.clone(), crate::metrics());
    let append = move || {
        let mut appender = Appender::open(&config, &config.group_name("append"), &metrics).unwrap();
        for n in 0..N {
            appender.append(Output::new(&CI_EVENTS, format!("realm-{}", n % 50), format!("event {n}"))).unwrap();
        }
        appender.append(Output::new(&CONTROL, "realm-0", "catalog")).unwrap();
        appender.append(Output::new(&INBOX, "delivery", "body")).unwrap();
        appender.finish().unwrap()
    };
    let ends = tokio::task::spawn_blocking(append).await.unwrap();
    let events = crate::read(&kafka, &CI_EVENTS).await;
    assert_eq!(events.len(), N);
    for partition in 0..2 {
        let last =
            events.iter().filter(|record| record.partition == partition).map(|record| record.offset).max().unwrap();
        assert_eq!(ends[&("ci.events", partition)], last + 1);
    }
    assert_eq!(ends.keys().filter(|(topic, _)| *topic != "ci.events").count(), 1, "only event topics: {ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_read_up_to_where_somebody_was() {
    let kafka = crate::with_topics(2).await;
    let records = (0..100).map(|n| (&INBOX, format!("delivery-{n}"), "body".to_owned()));
    crate::produce(&kafka, records).await;
    let config = kafka.0.clone();
    let read = move || {
        let nobody = scan::progress(&config, &config.group_name("nobody"), &INBOX).unwrap();
        assert!(nobody.is_empty(), "{nobody:?}");
        let mut seen = Vec::new();
        let ends = [(1, 3)].into();
        let visited = scan::read_until(&config, &INBOX, &ends, |record| {
            seen.push((record.partition, record.offset));
            ControlFlow::Continue(())
        });
        assert_eq!((visited.unwrap(), seen), (3, vec![(1, 0), (1, 1), (1, 2)]));
    };
    tokio::task::spawn_blocking(read).await.unwrap();
}
