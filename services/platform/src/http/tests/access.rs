//! Who gets in.

use rstest::rstest;

use super::*;

const TOKENS: [&str; 5] = ["fhs_city", "fhs_district", "fhr_resident", "fhk_source", "fhd_screen"];

#[rstest]
#[case("/public", &TOKENS)]
#[case("/staff", &["fhs_city", "fhs_district"])]
#[case("/officer", &["fhs_city"])]
#[case("/resident", &["fhr_resident"])]
#[case("/source", &["fhk_source"])]
#[case("/either", &["fhk_source", "fhs_district"])]
#[case("/screen", &["fhd_screen"])]
#[tokio::test]
async fn a_route_admits_the_callers_of_its_rule_and_no_other(#[case] path: &str, #[case] admitted: &[&str]) {
    for token in TOKENS {
        let response = send(get(path).header("authorization", format!("Bearer {token}")), "").await;
        if admitted.contains(&token) {
            assert_eq!(response.status(), StatusCode::OK, "{token}");
        } else {
            assert!(["role_not_allowed", "caller_not_allowed"].contains(&problem(response).await.code.as_str()), "{token}");
        }
    }
}

#[tokio::test]
async fn a_session_without_its_second_factor_opens_nothing_but_what_is_for_its_owner() {
    for path in ["/staff", "/officer", "/resident", "/source", "/either", "/screen"] {
        let response = send(get(path).header("authorization", "Bearer fhs_unproved"), "").await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path}");
        assert_eq!(problem(response).await.code, "second_factor_needed", "{path}");
    }
    for (token, admitted) in [("fhs_unproved", true), ("fhs_city", true), ("fhr_resident", false), ("fhk_source", false)] {
        let response = send(get("/own-session").header("authorization", format!("Bearer {token}")), "").await;
        assert_eq!(response.status() == StatusCode::OK, admitted, "{token}");
    }
}

#[rstest]
#[case::nothing(None, "sign_in_required")]
#[case::unknown(Some("Bearer fhs_expired"), "credential_unknown")]
#[case::unknown_kind(Some("Bearer hello"), "credential_unknown")]
#[case::other_scheme(Some("Basic Zm9v"), "credential_unknown")]
#[tokio::test]
async fn without_a_valid_token_the_answer_is_401(#[case] authorization: Option<&str>, #[case] code: &str) {
    let mut request = get("/staff");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let response = send(request, "").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"fenghuo\"");
    assert_eq!(problem(response).await.code, code);
}

#[rstest]
#[case::reads_need_no_header("GET", None, StatusCode::OK)]
#[case::a_change_from_elsewhere("POST", None, StatusCode::FORBIDDEN)]
#[case::a_change_from_another_site("POST", Some(("sec-fetch-site", "cross-site")), StatusCode::FORBIDDEN)]
#[case::a_change_from_our_page("POST", Some(("sec-fetch-site", "same-origin")), StatusCode::OK)]
#[case::a_change_with_our_header("POST", Some((REQUEST_HEADER, "1")), StatusCode::OK)]
#[tokio::test]
async fn a_cookie_alone_never_authorises_a_change(
    #[case] method: &str,
    #[case] header: Option<(&str, &str)>,
    #[case] expected: StatusCode,
) {
    let mut request = Request::builder().method(method).uri("/staff").header("cookie", format!("{SESSION_COOKIE}=fhs_city"));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    assert_eq!(send(request, "").await.status(), expected);
}

#[tokio::test]
async fn a_handler_learns_who_calls_and_keeps_them_in_their_area() {
    let as_district = |request: http::request::Builder| request.header("authorization", "Bearer fhs_district");
    let response = send(as_district(Request::post("/staff")), "").await;
    assert_eq!(text(response).await, "王主任");
    assert_eq!(send(as_district(get("/districts/500103")), "").await.status(), StatusCode::OK);
    assert_eq!(problem(send(as_district(get("/districts/500101")), "").await).await.code, "outside_scope");
}

#[tokio::test]
async fn the_body_of_an_unknown_caller_is_not_looked_at() {
    let response = send(Request::post("/staff").header("content-length", "999999"), "").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn a_source_delivers_its_kinds_for_its_area_only() {
    let source = SourceCaller {
        key_id: ApiKeyId::new(),
        unit: "疾控中心".to_owned(),
        origin: Origin::Surveillance,
        area: Area::District(district("500103")),
        kinds: vec![RecordKind::Case],
        asks: Vec::new(),
        networks: Vec::new(),
    };
    assert!(source.may_deliver(RecordKind::Case, district("500103")));
    assert!(!source.may_deliver(RecordKind::Case, district("500101")));
    assert!(!source.may_deliver(RecordKind::CloseContact, district("500103")));
}

#[test]
fn the_table_lists_every_route_with_its_rule() {
    let table = shell().table();
    assert!(table.contains(&RouteRule { method: http::Method::POST, path: "/staff".to_owned(), access: Access::ANY_STAFF }));
    assert!(table.contains(&RouteRule { method: http::Method::GET, path: "/readyz".to_owned(), access: Access::Public }));
}

#[tokio::test]
async fn routes_outside_the_shell_let_nobody_in() {
    let router = all(Bell::default()).router;
    let response = router.oneshot(get("/public").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
