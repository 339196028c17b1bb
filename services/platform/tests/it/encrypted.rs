//! Stores on other machines are spoken to through TLS: here through a front that ends it, before the servers that the other stories use.

use platform::bus::{Bus, BusSettings};
use platform::cache::{Cache, CacheSettings};
use platform::clock::Clock;
use platform::database::{Database, DatabaseSettings};
use platform::encryption::Tls;
use platform::scratch;
use secrecy::{ExposeSecret as _, SecretString};
use stages::{Front, SSL_REQUEST, Signed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// An address of the server behind a front, with the front's place and another scheme.
fn by_way_of(front: &Front, url: &str, scheme: &str) -> SecretString {
    let (place, port) = (host(url), front.address.port());
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    SecretString::from(format!("{scheme}://{}", rest.replacen(&place, &format!("localhost:{port}"), 1)))
}

/// Host and port of an address.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        said = format!("{said}: {cause}");
        next = cause.source();
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn every_store_is_reached_through_tls_by_who_believes_its_authority() {
    let stores = scratch::service_settings();
    let url = scratch::postgres_url();
    let front = Front::before(host(&url), "localhost", true).await;
    let settings =
        DatabaseSettings { url: by_way_of(&front, &url, "postgres"), ca_file: Some(front.authority.clone()), ..remote_database() };
    let database = Database::open(&settings).await.expect("the database is reached");
    let encrypted: bool = sqlx::query_scalar("select true").fetch_one(database.pool()).await.unwrap();
    assert!(encrypted);
    database.close().await.unwrap();

    let url = stores.cache.url.expose_secret().to_owned();
    let front = Front::before(host(&url), "localhost", false).await;
    let settings = CacheSettings { url: by_way_of(&front, &url, "rediss"), ca_file: Some(front.authority.clone()), ..stores.cache.clone() };
    let cache = Cache::open(&settings, &Clock::real()).await.expect("Redis is reached");
    cache.set("encrypted", b"1", std::time::Duration::from_secs(5)).await.unwrap();
    assert_eq!(cache.get("encrypted").await.unwrap().as_deref(), Some(b"1".as_slice()));

    let url = stores.bus.url.expose_secret().to_owned();
    let front = Front::before(host(&url), "localhost", false).await;
    let settings = BusSettings { url: by_way_of(&front, &url, "amqps"), ca_file: Some(front.authority.clone()), ..stores.bus.clone() };
    Bus::standing(&settings, std::time::Duration::from_secs(10)).await.expect("RabbitMQ is reached");
}

fn remote_database() -> DatabaseSettings {
    DatabaseSettings { mode: platform::database::DatabaseMode::Postgres, connections: 1, ..DatabaseSettings::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn a_server_that_shows_another_name_or_authority_is_not_spoken_to() {
    let stores = scratch::service_settings();
    let other = Front::before(host(&scratch::postgres_url()), "somebody.else", true).await;
    for (name, believed) in [("somebody.else", None), ("localhost", Some(other.authority.clone()))] {
        let url = scratch::postgres_url();
        let front = Front::before(host(&url), name, true).await;
        let ca_file = Some(believed.clone().unwrap_or_else(|| front.authority.clone()));
        let settings = DatabaseSettings { url: by_way_of(&front, &url, "postgres"), ca_file, ..remote_database() };
        let refused = platform::database::standing::connect(&settings, std::time::Duration::from_secs(10)).await.expect_err("not believed");
        assert!(causes(&refused).to_lowercase().contains("certificate"), "{}", causes(&refused));

        let url = stores.cache.url.expose_secret().to_owned();
        let front = Front::before(host(&url), name, false).await;
        let ca_file = Some(believed.clone().unwrap_or_else(|| front.authority.clone()));
        let settings = CacheSettings { url: by_way_of(&front, &url, "rediss"), ca_file, ..stores.cache.clone() };
        let refused = Cache::standing(&settings).await.expect_err("not believed");
        assert!(causes(&refused).to_lowercase().contains("certificate"), "{}", causes(&refused));

        let url = stores.bus.url.expose_secret().to_owned();
        let front = Front::before(host(&url), name, false).await;
        let ca_file = Some(believed.unwrap_or_else(|| front.authority.clone()));
        let settings = BusSettings { url: by_way_of(&front, &url, "amqps"), ca_file, ..stores.bus.clone() };
        let refused = Bus::standing(&settings, std::time::Duration::from_secs(10)).await.expect_err("not believed");
        assert!(causes(&refused).to_lowercase().contains("certificate"), "{}", causes(&refused));
    }
}

#[tokio::test]
async fn nothing_is_sent_in_the_clear_to_another_machine_unless_somebody_says_so() {
    let patience = std::time::Duration::from_millis(200);
    let cache = CacheSettings { url: SecretString::from("redis://redis.invalid:6379/"), ..CacheSettings::default() };
    let refused = Cache::standing(&cache).await.expect_err("refused").to_string();
    assert!(refused.contains("rediss://") && refused.contains("cache.tls = \"off\""), "{refused}");
    let insecure = CacheSettings { url: SecretString::from("rediss://redis.invalid:6379/#insecure"), ..CacheSettings::default() };
    assert!(Cache::standing(&insecure).await.expect_err("refused").to_string().contains("cache.ca_file"));

    let bus = BusSettings { url: SecretString::from("amqp://guest:guest@rabbit.invalid:5672/%2f"), ..BusSettings::default() };
    let refused = Bus::standing(&bus, patience).await.expect_err("refused").to_string();
    assert!(refused.contains("amqps://") && refused.contains("bus.tls = \"off\"") && !refused.contains("guest"), "{refused}");

    // who says so is tried, and not found
    let open = CacheSettings { tls: Tls::Off, ..cache };
    assert!(!Cache::standing(&open).await.expect_err("nobody there").to_string().contains("in the clear"));

    // a server that speaks no TLS is told so, and gets no password
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 8];
        stream.read_exact(&mut request).await.unwrap();
        stream.write_all(b"N").await.unwrap();
        let mut more = Vec::new();
        stream.read_to_end(&mut more).await.unwrap();
        (request, more)
    });
    let signed = Signed::new("localhost");
    let url = SecretString::from(format!("postgres://fenghuo:secret@localhost:{port}/fenghuo"));
    let database = DatabaseSettings { url, ca_file: Some(signed.authority.clone()), ..remote_database() };
    platform::database::standing::connect(&database, std::time::Duration::from_secs(10)).await.expect_err("no TLS, no conversation");
    assert_eq!(asked.await.unwrap(), (SSL_REQUEST, Vec::new()), "nothing but the question was sent");
}
