//! The broker: whether it answers, and what waits in our queues.

use std::time::Duration;

use platform::Error;
use platform::bus::{BrokerStanding, Bus, BusMode, BusSettings};
use platform::tasks::chain;

use super::finding::Finding;

const PATIENCE: Duration = Duration::from_secs(5);
/// The oldest RabbitMQ with all that we ask of quorum queues.
const OLDEST: (u32, u32) = (3, 10);

pub(super) async fn look(settings: &BusSettings) -> Vec<Finding> {
    if settings.mode == BusMode::InProcess {
        return vec![Finding::ok("broker", "none: events are carried in this process, durable through the database")];
    }
    match Bus::standing(settings, PATIENCE).await {
        Ok(standing) => of_standing(&standing, &settings.prefix),
        Err(error) => vec![Finding::fail("broker", chain(&error), remedy(&error))],
    }
}

fn of_standing(standing: &BrokerStanding, prefix: &str) -> Vec<Finding> {
    let version = match &standing.version {
        Some(version) if too_old(version) => {
            Finding::fail("broker", format!("RabbitMQ {version}"), format!("use RabbitMQ {}.{} or newer", OLDEST.0, OLDEST.1))
        }
        Some(version) => Finding::ok("broker", format!("RabbitMQ {version}")),
        None => Finding::ok("broker", "it answers; its version is not told over this connection"),
    };
    let queues = if !standing.missing.is_empty() {
        let what = format!("not there: {}", standing.missing.join(", "));
        Finding::warn("queues", what, "start a process with `fenghuo serve`, which declares them")
    } else if standing.dead > 0 {
        let what = format!("{} dead letters wait in {prefix}.dead", standing.dead);
        Finding::warn("queues", what, "any process of the platform brings them to the console's page 死信 (Dead letters): start one")
    } else {
        Finding::ok("queues", format!("all there; {} messages wait, none was given up", standing.waiting))
    };
    vec![version, queues]
}

fn too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) < OLDEST)
}

fn remedy(error: &Error) -> &'static str {
    match error {
        Error::Setting { .. } => "set bus.url",
        error if chain(error).contains("ACCESS_REFUSED") => {
            "give user and password in bus.url as the broker has them, and let the user into the vhost"
        }
        _ => "start RabbitMQ, or set bus.url to where it is",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(standing: &BrokerStanding) -> Vec<String> {
        of_standing(standing, "fenghuo").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_old_broker_missing_queues_and_dead_letters_are_told() {
        let well = BrokerStanding { version: Some("3.10.8".to_owned()), missing: Vec::new(), waiting: 3, dead: 0 };
        assert!(lines(&well).iter().all(|line| line.starts_with("ok ")));
        let old = BrokerStanding { version: Some("3.9.13".to_owned()), dead: 2, ..well.clone() };
        assert!(lines(&old)[0].starts_with("fail  broker           RabbitMQ 3.9.13 → use RabbitMQ 3.10"));
        assert!(lines(&old)[1].starts_with("warn  queues           2 dead letters wait in fenghuo.dead → any process"));
        let new = BrokerStanding { version: Some("4.1.0".to_owned()), missing: vec!["fenghuo.sms.codes".to_owned()], ..well };
        assert!(lines(&new)[0].starts_with("ok "));
        assert!(lines(&new)[1].starts_with("warn  queues           not there: fenghuo.sms.codes →"));
    }
}
