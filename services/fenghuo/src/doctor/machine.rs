//! This machine: room on the disk, the address to listen on, and what time it is in the city.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use indicatif::DecimalBytes;
use platform::database::DatabaseMode;
use serde_json::Value;

use super::finding::Finding;
use crate::asking;
use crate::configuration::Configuration;

/// With less, in bytes, the database may stop soon.
const LITTLE: u64 = 5_000_000_000;
const NONE: u64 = 500_000_000;
/// For whoever listens on our address already.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn look(settings: &Configuration) -> Vec<Finding> {
    let disk = match settings.database.mode {
        DatabaseMode::Embedded => of_disk(&settings.database.data_dir),
        DatabaseMode::Postgres => Finding::ok("disk", "the data is on the database's server; this process keeps nothing"),
    };
    vec![disk, of_address(settings.server.listen).await, of_time_zones(settings)]
}

/// Bytes for people: 12.3 GB.
pub(super) fn size(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}

fn of_disk(directory: &Path) -> Finding {
    // it may have to be made yet: then the nearest directory above it that is there
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let Some(there) = absolute.ancestors().find(|ancestor| ancestor.exists()) else {
        return Finding::fail("disk", format!("{} is nowhere", directory.display()), "set database.data_dir to a directory");
    };
    match rustix::fs::statvfs(there) {
        Ok(found) => of_room(&there.display().to_string(), found.f_bavail.saturating_mul(found.f_frsize)),
        Err(error) => {
            Finding::fail("disk", format!("{}: {error}", there.display()), "set database.data_dir to a directory that can be used")
        }
    }
}

fn of_room(place: &str, free: u64) -> Finding {
    let what = format!("{} free at {place}", size(free));
    match free {
        ..NONE => Finding::fail("disk", what, "make room"),
        NONE..LITTLE => Finding::warn("disk", what, "make room"),
        _ => Finding::ok("disk", what),
    }
}

async fn of_address(address: SocketAddr) -> Finding {
    let remedy = "stop what listens there, or set server.listen to another address";
    match std::net::TcpListener::bind(address) {
        Ok(_) => Finding::ok("listen", format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => match readiness(address).await {
            Some(true) => Finding::ok("listen", format!("a platform listens on {address} and is ready")),
            Some(false) => Finding::warn("listen", format!("a platform listens on {address} and is not ready"), "see /readyz there"),
            None => Finding::fail("listen", format!("{address}: {error}"), remedy),
        },
        Err(error) => Finding::fail("listen", format!("{address}: {error}"), remedy),
    }
}

/// Whether the platform that listens there is ready; `None` when it is none.
async fn readiness(address: SocketAddr) -> Option<bool> {
    let request = asking::client().get(format!("http://{address}/readyz"));
    let asked = async { request.send().await.ok()?.json::<Value>().await.ok()?["ready"].as_bool() };
    tokio::time::timeout(PATIENCE, asked).await.ok().flatten()
}

/// The city has one time zone, which four sections name.
fn of_time_zones(settings: &Configuration) -> Finding {
    let named = [
        ("jobs.time_zone", settings.jobs.time_zone),
        ("ingest.time_zone", settings.ingest.time_zone),
        ("rules.time_zone", settings.rules.time_zone),
        ("dispatch.quiet_hours.tz", settings.dispatch.quiet_hours.tz),
    ];
    let [(_, first), ..] = named;
    if named.iter().all(|(_, zone)| *zone == first) {
        return Finding::ok("time zone", format!("{first}, by the zone data {}", chrono_tz::IANA_TZDB_VERSION));
    }
    let what = named.map(|(setting, zone)| format!("{setting} {zone}")).join(", ");
    Finding::warn("time zone", what, "a city has one: set all four alike")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_before_it_is_full() {
        assert_eq!(of_room("/srv", 12_340_000_000).to_string(), "ok    disk             12.34 GB free at /srv");
        assert!(of_room("/srv", 1_000_000_000).to_string().starts_with("warn "));
        assert!(of_room("/srv", 100_000_000).to_string().starts_with("fail "));
        assert!(of_disk(Path::new("not/made/yet")).to_string().contains(" free at "));
    }

    #[tokio::test]
    async fn an_address_that_somebody_else_has_is_told() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = of_address(taken.local_addr().unwrap()).await.to_string();
        assert!(found.starts_with("fail  listen ") && found.contains("set server.listen"), "{found}");
    }

    #[test]
    fn a_city_has_one_time_zone() {
        let zones = |text| of_time_zones(&toml::from_str(text).unwrap()).to_string();
        assert!(zones("").starts_with("ok    time zone        Asia/Shanghai, by the zone data 20"));
        assert!(zones("[rules]\ntime_zone = 'Asia/Urumqi'").starts_with("warn  time zone "));
    }
}
