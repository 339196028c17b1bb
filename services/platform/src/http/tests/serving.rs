//! Health, metrics, description, and the server on a real socket.

use std::net::SocketAddr;

use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;

#[tokio::test]
async fn ready_means_that_every_dependency_answers() {
    let well = Check::new("database", || async { Ok(()) });
    let ill = Check::new("bus", || async { Err("connection refused".to_owned()) });
    for (checks, status) in [(vec![well.clone()], StatusCode::OK), (vec![well, ill], StatusCode::SERVICE_UNAVAILABLE)] {
        let router = shell().checks(checks).router();
        let response = router.oneshot(get("/readyz").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
        let found: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(found["ready"], status == StatusCode::OK);
        assert_eq!(found["checks"][0]["name"], "database");
    }
}

#[test]
fn requests_are_counted_by_template_and_never_by_path() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rendered = metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            send(get("/pages/0190b5a0-6f2e-7c3a-9d1e-2b4c6d8e0f12?limit=1"), "").await;
            send(get("/13800138000"), "").await;
            let router = shell().metrics(recorder.handle()).router();
            text(router.oneshot(get("/metrics").body(Body::empty()).unwrap()).await.unwrap()).await
        })
    });
    assert!(rendered.contains("http_requests_total{method=\"GET\",route=\"/pages/{id}\",status=\"200\"} 1"), "{rendered}");
    assert!(rendered.contains("route=\"none\",status=\"404\"} 1"), "{rendered}");
    assert!(!rendered.contains("0190b5a0") && !rendered.contains("13800138000"));
}

#[rstest::rstest]
#[case::this_machine("127.0.0.1", None, &[], true)]
#[case::this_machine_by_version_six("::1", None, &[], true)]
#[case::an_address_that_is_set("198.51.100.7", None, &["198.51.100.7"], true)]
#[case::another("198.51.100.8", None, &["198.51.100.7"], false)]
#[case::a_machine_of_a_network_that_is_set("198.51.100.7", None, &["198.51.100.0/29"], true)]
#[case::beside_the_network_that_is_set("198.51.100.8", None, &["198.51.100.0/29"], false)]
#[case::this_machine_where_another_is_set("127.0.0.1", None, &["198.51.100.7"], false)]
#[case::brought_by_a_proxy_on_this_machine("127.0.0.1", Some("203.0.113.9"), &[], false)]
#[case::brought_and_forged("127.0.0.1", Some("127.0.0.1"), &[], false)]
#[tokio::test]
async fn how_the_city_is_doing_is_told_to_whoever_runs_it(
    #[case] from: std::net::IpAddr,
    #[case] brought: Option<&str>,
    #[case] readers: &[&str],
    #[case] told: bool,
) {
    let ill = Check::new("bus", || async { Err("amqp://fenghuo@10.0.0.7 refused".to_owned()) });
    let settings =
        HttpSettings { operations_from: readers.iter().map(|reader| reader.parse().unwrap()).collect(), ..HttpSettings::default() };
    let router = shell().settings(settings).checks([ill]).router();
    let ask = async |path: &str| {
        let mut request = get(path).extension(client_address::Peer(SocketAddr::new(from, 4711)));
        if let Some(brought) = brought {
            request = request.header("x-forwarded-for", brought);
        }
        router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    assert_eq!(ask("/metrics").await.status(), if told { StatusCode::OK } else { StatusCode::FORBIDDEN });
    let ready = ask("/readyz").await;
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE, "a balancer asks from anywhere");
    assert_eq!(text(ready).await.contains("10.0.0.7"), told);
    assert_eq!(ask("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_description_is_complete_and_says_who_may_call() {
    assert_eq!(openapi_faults(&all(Bell::default())), Vec::<String>::new());
    let document: Value = serde_json::from_str(&text(send(get("/openapi.json"), "").await).await).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let officer = &document["paths"]["/officer"]["get"];
    assert_eq!(officer["security"][0]["staff_session"][0], "city_command_officer");
    assert_eq!(officer["responses"]["403"]["content"]["application/problem+json"]["schema"]["$ref"], "#/components/schemas/Problem");
    assert_eq!(officer["operationId"], "test_notes_officer");
    assert!(document["paths"]["/healthz"]["get"]["summary"].is_string());
    assert!(document["paths"]["/openapi.json"].is_object());
    assert!(document["components"]["schemas"]["Note"]["properties"]["place"].is_object());
}

#[test]
fn a_description_with_gaps_is_told_on() {
    #[utoipa::path(get, path = "/mute")]
    async fn mute() -> &'static str {
        ""
    }
    let faults = openapi_faults(&Routes::new("gaps").allow(Access::Public, routes!(mute)));
    assert_eq!(faults, ["GET /mute has no summary", "GET /mute does not say what success looks like"]);
}

struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

async fn serve(router: Router, drain: Duration) -> Running {
    let server = Server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let (address, shutdown) = (server.address(), CancellationToken::new());
    let ended = tokio::spawn(server.serve(router, shutdown.clone(), drain));
    Running { address, shutdown, ended }
}

async fn client(address: SocketAddr) -> hyper::client::conn::http2::SendRequest<Body> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn absolute(path: &str) -> Request<Body> {
    get(&format!("http://localhost{path}")).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn the_same_port_speaks_both_versions_of_http() {
    let running = serve(router(), Duration::ZERO).await;
    let second = client(running.address).await.send_request(absolute("/public")).await.unwrap();
    assert_eq!((second.version(), second.status()), (http::Version::HTTP_2, StatusCode::OK));

    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = get("/public").header("host", "localhost").body(Body::empty()).unwrap();
    let first = sender.send_request(request).await.unwrap();
    assert_eq!((first.version(), first.status()), (http::Version::HTTP_11, StatusCode::OK));
}

#[tokio::test]
async fn a_stopping_server_lets_an_open_request_finish() {
    let bell = Bell::default();
    let router = Shell::new(all(bell.clone()), Authenticators::new()).router();
    let running = serve(router, Duration::from_secs(60)).await;
    let mut sender = client(running.address).await;
    let open = tokio::spawn(async move { sender.send_request(absolute("/wait")).await });
    bell.0.notified().await;
    running.shutdown.cancel();
    bell.0.notify_one();
    assert_eq!(open.await.unwrap().unwrap().status(), StatusCode::OK);
    running.ended.await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off_after_the_drain_time() {
    let bell = Bell::default();
    let router = Shell::new(all(bell.clone()), Authenticators::new()).router();
    let running = serve(router, Duration::from_millis(1)).await;
    let mut sender = client(running.address).await;
    let open = tokio::spawn(async move { sender.send_request(absolute("/wait")).await });
    bell.0.notified().await;
    running.shutdown.cancel();
    running.ended.await.unwrap();
    assert!(open.await.unwrap().is_err());
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let first = Server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let error = Server::bind(first.address()).await.unwrap_err();
    assert!(error.to_string().contains(&first.address().to_string()));
}

#[rstest::rstest]
#[case::that_says_nothing("")]
#[case::that_says_half_of_it("PRI * HTTP/2.0\r\n")]
#[case::that_says_half_a_head("GET /public HTTP/1.1\r\nhost: localhost\r\n")]
#[tokio::test]
async fn a_connection_is_not_held_for_somebody(#[case] said: &str) {
    let server = Server::bind(([127, 0, 0, 1], 0).into()).await.unwrap().heads_within(Duration::from_millis(20));
    let (address, shutdown) = (server.address(), CancellationToken::new());
    tokio::spawn(server.serve(router(), shutdown.clone(), Duration::ZERO));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    stages::soon("it is given up", stream.read_to_end(&mut Vec::new())).await.unwrap();
}

#[tokio::test]
async fn of_more_connections_than_may_be_open_the_last_waits_for_one_to_end() {
    let server = Server::bind(([127, 0, 0, 1], 0).into()).await.unwrap().connections(2);
    let (address, shutdown) = (server.address(), CancellationToken::new());
    tokio::spawn(server.serve(router(), shutdown.clone(), Duration::ZERO));
    let mut open = vec![client(address).await, client(address).await];
    for one in &mut open {
        assert_eq!(one.send_request(absolute("/public")).await.unwrap().status(), StatusCode::OK);
    }
    let mut last = client(address).await;
    let mut waits = Box::pin(last.send_request(absolute("/public")));
    // those that are open are served meanwhile
    for _ in 0..50 {
        assert_eq!(open[0].send_request(absolute("/public")).await.unwrap().status(), StatusCode::OK);
        assert!(futures::poll!(waits.as_mut()).is_pending());
    }
    drop(open.pop());
    assert_eq!(waits.await.unwrap().status(), StatusCode::OK);
    shutdown.cancel();
}
