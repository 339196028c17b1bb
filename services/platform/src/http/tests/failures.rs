//! What failures look like.

use rstest::rstest;

use super::*;

/// Longer than any limit of the test shell.
const LONG: &str = include_str!("failures.rs");

fn json(path: &str) -> http::request::Builder {
    Request::post(path).header("content-type", "application/json; charset=utf-8")
}

#[rstest]
#[case::no_such_address(get("/nowhere"), "", 404, "not_found")]
#[case::no_such_method(Request::delete("/public"), "", 405, "method_not_allowed")]
#[case::not_json(json("/notes"), "{\"title\":", 400, "json_malformed")]
#[case::not_said_to_be_json(Request::post("/notes"), "{}", 415, "media_type_unsupported")]
#[case::too_large(json("/notes"), LONG, 413, "body_too_large")]
#[case::an_upload_beyond_its_own_limit(Request::post("/upload"), LONG, 413, "body_too_large")]
#[case::too_slow(get("/hang"), "", 504, "timed_out")]
#[case::panicked(get("/panic"), "", 500, "internal")]
#[case::no_uuid(get("/pages/7?limit=1"), "", 400, "invalid_path")]
#[tokio::test]
async fn every_failure_is_a_problem_that_says_what_to_do(
    #[case] request: http::request::Builder,
    #[case] body: &'static str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let response = send(request, body).await;
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem = problem(response).await;
    assert_eq!((problem.status, problem.code.as_str()), (status, code));
    assert_eq!(problem.kind, format!("urn:fenghuo:problem:{code}"));
    assert_eq!(problem.instance, Some(request_id));
}

#[rstest]
#[case::missing("{\"title\":\"a\"}", "place", "is missing")]
#[case::missing_inside("{\"title\":\"a\",\"place\":{}}", "place.floor", "is missing")]
#[case::wrong_type("{\"title\":1,\"place\":{\"floor\":1}}", "title", "must be a text")]
#[case::out_of_range("{\"title\":\"a\",\"place\":{\"floor\":999}}", "place.floor", "must be a whole number from 0 to 255")]
#[case::not_an_object("7", "body", "must be a JSON object")]
#[tokio::test]
async fn a_json_field_that_is_wrong_is_named(#[case] body: &'static str, #[case] field: &str, #[case] reason: &str) {
    let problem = problem(send(json("/notes"), body).await).await;
    assert_eq!(problem.code, "invalid_fields");
    assert_eq!(problem.errors[0].field, field);
    assert_eq!(problem.errors[0].reason_en, reason);
    assert!(!problem.errors[0].reason.contains("expected"), "{:?}", problem.errors);
}

#[rstest]
#[case::in_a_query(get(&format!("/pages/{}?limit=1&title=a%00b", Uuid::nil())), "", 422, "title")]
#[case::in_a_path(get("/pages/a%00b?limit=1"), "", 400, "id")]
#[case::in_a_code(get("/districts/500103%00").header("authorization", "Bearer fhs_city"), "", 400, "code")]
#[case::in_a_body(json("/notes"), r#"{"title":"a\u0000","place":{"floor":1}}"#, 422, "title")]
#[tokio::test]
async fn a_control_character_in_any_text_is_refused_before_the_handler_with_the_fields_name(
    #[case] request: http::request::Builder,
    #[case] body: &'static str,
    #[case] status: u16,
    #[case] field: &str,
) {
    let problem = problem(send(request, body).await).await;
    assert_eq!((problem.status, problem.errors[0].field.as_str()), (status, field));
    assert!(problem.errors[0].reason.contains("控制字符"), "{:?}", problem.errors);
}

#[tokio::test]
async fn what_is_no_json_is_told_by_its_place_and_not_in_the_words_of_a_library() {
    let problem = problem(send(json("/notes"), "{\n\"title\": oops}").await).await;
    assert_eq!(problem.detail, "请求内容不是有效的 JSON（第 2 行第 10 列），请更正后重新提交。");
    assert_eq!(problem.detail_en, "The body is not valid JSON (line 2, column 10). Correct it and send it again.");
}

#[rstest]
#[case::missing("", "limit")]
#[case::wrong("?limit=many", "limit")]
#[tokio::test]
async fn a_query_parameter_that_is_wrong_is_named(#[case] query: &str, #[case] field: &str) {
    let path = format!("/pages/{}{query}", Uuid::nil());
    assert_eq!(problem(send(get(&path), "").await).await.errors[0].field, field);
}

#[tokio::test]
async fn a_method_that_is_not_known_is_answered_with_those_that_are() {
    let response = send(Request::delete("/staff"), "").await;
    let allow = response.headers()["allow"].to_str().unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
}

#[tokio::test]
async fn nobody_else_names_a_request() {
    let mut names = Vec::new();
    for given in ["load-balancer-7", "load-balancer-7", "phone 138 0013 8000"] {
        let answer = send(get("/public").header("x-request-id", given), "").await;
        names.push(Uuid::parse_str(answer.headers()["x-request-id"].to_str().unwrap()).unwrap());
    }
    assert_ne!(names[0], names[1], "two requests that are called alike are told apart");
}

#[tokio::test]
async fn a_throttled_caller_is_told_when_to_come_back() {
    use axum::response::IntoResponse;

    let response = Problem::too_many_requests(Duration::from_secs(90)).into_response();
    assert_eq!(response.headers()["retry-after"], "90");
    assert_eq!(problem(response).await.retry_after, Some(90));
}
