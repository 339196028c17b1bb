//! `docs/reference/events.md`: the events between the services, from the file that describes them and the table of queues.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proto::{QUEUES, topology};

use super::pages;

/// A message of the file: its comment, and its fields with theirs.
#[derive(Default)]
struct Message {
    comment: String,
    fields: Vec<(String, String, String)>,
}

/// Reads the messages: one declaration a line, as the file is written; those inside of others as `Outer.Inner`.
fn messages() -> BTreeMap<String, Message> {
    let text = std::fs::read_to_string(pages::root().join("proto/events/fenghuo.proto")).unwrap();
    let (mut found, mut open, mut comment) = (BTreeMap::<String, Message>::new(), Vec::<Option<String>>::new(), String::new());
    for line in text.lines().map(str::trim) {
        let (code, said) = line.split_once("//").map_or((line, ""), |(code, said)| (code.trim(), said.trim()));
        match code.split_whitespace().collect::<Vec<_>>()[..] {
            [] if said.is_empty() => comment.clear(),
            [] => comment = format!("{comment} {said}").trim().to_owned(),
            ["message", name, ..] => {
                let name = open.last().cloned().flatten().map_or_else(|| name.to_owned(), |outer| format!("{outer}.{name}"));
                found.insert(name.clone(), Message { comment: std::mem::take(&mut comment), fields: Vec::new() });
                open.push(Some(name));
            }
            ["enum", ..] => open.push(None),
            ["}"] => {
                open.pop();
            }
            [ref kind @ .., name, "=", _] if !kind.is_empty() => {
                if let Some(Some(message)) = open.last() {
                    found.get_mut(message).unwrap().fields.push((name.to_owned(), kind.join(" "), said.to_owned()));
                }
            }
            _ => {}
        }
    }
    found
}

/// `AlertInDanger` as the table of queues names it: by its topic.
fn topics() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut topics: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for queue in QUEUES {
        topics.entry(queue.topic).or_default().push(queue.name);
    }
    topics
}

/// The message of each topic, as `proto/src/topology.rs` pairs them.
fn message_of(topic: &str) -> String {
    let text = std::fs::read_to_string(pages::root().join("proto/src/topology.rs")).unwrap();
    let line =
        text.lines().find(|line| line.trim().starts_with(&format!("\"{topic}\""))).unwrap_or_else(|| panic!("{topic} has a message"));
    line.split_whitespace().nth(1).unwrap().to_owned()
}

fn page() -> String {
    let messages = messages();
    let mut page = pages::head("Events", "`proto/events/fenghuo.proto` and `proto/src/topology.rs`");
    page.push_str(
        "\nServices tell each other what happened by events, in protobuf. An event is written in the transaction of the change that it tells of \
         (an outbox) and arrives at least once at every queue of its topic, in no promised order; whoever reads it may do so twice without harm. \
         Fields are only ever added. On RabbitMQ the topic is the routing key and every queue a quorum queue, both with the prefix \
         `bus.prefix`. What a handler fails on comes again without end, ever more rarely, and rings from the eighth time on; what nobody can understand is a dead letter at once.\n",
    );
    for (topic, queues) in topics() {
        let name = message_of(topic);
        let message = messages.get(&name).unwrap_or_else(|| panic!("{name} is in the file"));
        let queues: Vec<String> = queues.iter().map(|queue| format!("`{queue}`")).collect();
        writeln!(page, "\n## `{topic}`\n\n{name}: {} Read by {}.\n", message.comment, queues.join(", ")).unwrap();
        page.push_str("| field | type | |\n|---|---|---|\n");
        for (field, kind, said) in &message.fields {
            writeln!(page, "| `{field}` | {kind} | {said} |").unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_events_is_the_file_that_describes_them() {
    let topics = topics();
    assert!(topics.keys().all(|topic| topology::queues_of(topic).count() > 0));
    let told: Vec<String> = topics.keys().map(|topic| message_of(topic)).collect();
    let untold: Vec<_> = messages().into_keys().filter(|name| !name.contains('.') && !told.contains(name)).collect();
    assert_eq!(untold, Vec::<String>::new(), "events without a topic");
    pages::is_as_written("docs/reference/events.md", &page());
}
