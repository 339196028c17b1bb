//! What is open ends with what let it in.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::response::IntoResponse as _;
use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use rstest::rstest;

use super::*;
use crate::clock::Clock;

const A_LOOK: Duration = Duration::from_secs(31);

/// Knows one member of staff, as they stand at the moment.
#[derive(Clone)]
struct OnePerson {
    stands: Arc<Mutex<Option<StaffCaller>>>,
    uses: Arc<AtomicUsize>,
}

impl OnePerson {
    fn new() -> Self {
        let caller = StaffCaller {
            id: StaffId::new(),
            name: "王主任".to_owned(),
            role: Role::CityCommandOfficer,
            scope: Scope::City,
            session: "reference".to_owned(),
            acts_from: None,
            proof: Proof::NotAsked,
        };
        Self { stands: Arc::new(Mutex::new(Some(caller))), uses: Arc::default() }
    }

    fn change(&self, change: impl FnOnce(&mut Option<StaffCaller>)) {
        change(&mut self.stands.lock().unwrap());
    }
}

#[async_trait]
impl Authenticator for OnePerson {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhs_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        self.uses.fetch_add(1, Ordering::Relaxed);
        self.look(token).await
    }

    async fn look(&self, _token: &str) -> Result<Option<Caller>, Problem> {
        Ok(self.stands.lock().unwrap().clone().map(Caller::Staff))
    }
}

/// Answers as long as it is asked to, with what it is sent.
#[utoipa::path(post, path = "/echo", responses((status = 200, description = "The body")))]
async fn echo(body: Body) -> Response {
    Response::new(Body::from_stream(body.into_data_stream().map(|piece| match piece {
        Ok(piece) => Ok::<_, std::convert::Infallible>(piece),
        Err(_) => Ok(Bytes::from_static(b"broke off")),
    })))
}

/// Tells nothing, for ever.
#[utoipa::path(get, path = "/silence", responses((status = 200, description = "Nothing")))]
async fn silence() -> Response {
    let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::convert::Infallible>>());
    ([("content-type", "text/event-stream")], body).into_response()
}

fn standing(person: &OnePerson, clock: &Clock) -> Router {
    let routes = Routes::new("test").allow_within(Limits::upload(1 << 20), Access::ANY_STAFF, routes!(echo)).allow_within(
        Limits::stream(),
        Access::ANY_STAFF,
        routes!(silence),
    );
    Shell::new(routes, Authenticators::new().with(person.clone())).clock(clock.clone()).router()
}

async fn open(router: Router, request: http::request::Builder, body: Body) -> axum::body::BodyDataStream {
    let answer = router.oneshot(request.header("authorization", "Bearer fhs_one").body(body).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.into_body().into_data_stream()
}

fn sent() -> (UnboundedSender<Result<Bytes, std::convert::Infallible>>, Body) {
    let (send, pieces) = unbounded();
    (send, Body::from_stream(pieces))
}

fn piece(text: &'static str) -> Result<Bytes, std::convert::Infallible> {
    Ok(Bytes::from_static(text.as_bytes()))
}

#[rstest]
#[case::signed_out(|stands: &mut Option<StaffCaller>| *stands = None)]
#[case::of_another_role(|stands: &mut Option<StaffCaller>| stands.as_mut().unwrap().role = Role::CommunityWorker)]
#[case::of_another_place(|stands: &mut Option<StaffCaller>| stands.as_mut().unwrap().scope = Scope::District(district("500103")))]
#[tokio::test]
async fn a_stream_and_an_upload_end_with_what_let_them_in(#[case] change: fn(&mut Option<StaffCaller>)) {
    let (person, clock) = (OnePerson::new(), Clock::moved("2026-11-02T04:00:00Z".parse().unwrap()));
    let router = standing(&person, &clock);
    let mut told = open(router.clone(), Request::get("/silence"), Body::empty()).await;
    let (send, body) = sent();
    let mut echoed = open(router, Request::post("/echo"), body).await;
    for _ in 0..3 {
        send.unbounded_send(piece("here")).unwrap();
        assert_eq!(echoed.next().await.unwrap().unwrap(), "here");
        assert!(futures::poll!(told.next()).is_pending());
        clock.forward(A_LOOK);
    }

    person.change(change);
    clock.forward(A_LOOK);
    assert!(told.next().await.is_none(), "whoever listens is told nothing any more");
    // what was open is asked about before anything more of it is taken
    send.unbounded_send(piece("more")).unwrap();
    assert!(echoed.next().await.unwrap().is_err(), "and what looks like a file is not taken for a whole one");
}

#[tokio::test]
async fn sending_counts_as_use_of_a_session_and_listening_does_not() {
    let (person, clock) = (OnePerson::new(), Clock::moved("2026-11-02T04:00:00Z".parse().unwrap()));
    let router = standing(&person, &clock);
    let mut told = open(router.clone(), Request::get("/silence"), Body::empty()).await;
    let (send, body) = sent();
    let mut echoed = open(router, Request::post("/echo"), body).await;
    let begun = person.uses.load(Ordering::Relaxed);

    for _ in 0..3 {
        assert!(futures::poll!(told.next()).is_pending());
        assert!(futures::poll!(echoed.next()).is_pending());
        clock.forward(A_LOOK);
    }
    assert!(futures::poll!(told.next()).is_pending());
    assert!(futures::poll!(echoed.next()).is_pending());
    assert_eq!(person.uses.load(Ordering::Relaxed), begun, "who is silent is looked at only");
    send.unbounded_send(piece("here")).unwrap();
    assert_eq!(echoed.next().await.unwrap().unwrap(), "here");
    clock.forward(A_LOOK);
    assert!(futures::poll!(echoed.next()).is_pending());
    assert_eq!(person.uses.load(Ordering::Relaxed), begun + 1);
}
