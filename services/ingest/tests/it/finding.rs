//! Stories of finding a record again.

use http::StatusCode;
use rstest::rstest;
use serde_json::Value;
use stages::Store::{self, Embedded, Postgres};

use crate::city::{CDC, COMMAND, City, LABORATORY, contact};

async fn found(city: &City, token: &str, query: &str) -> (Vec<String>, Value) {
    let answer = city.get(token, &format!("/api/v1/records/search?{query}")).await;
    let (status, page): (_, Value) = (answer.status(), answer.json().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{page}");
    let ids = page["records"].as_array().unwrap().iter().map(|record| record["source_id"].as_str().unwrap().to_owned()).collect();
    (ids, page)
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_found_by_id_kind_district_and_time_by_those_who_may_see_it(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store).await;
    city.ndjson(CDC, contact("cdc-1", "13800005678") + &contact("cdc-2", "13800005679")).await;
    city.platform.clock.forward(std::time::Duration::from_secs(3600));
    city.ndjson(CDC, contact("cdc-3", "13800005680")).await;

    assert_eq!(found(&city, COMMAND, "").await.0, ["cdc-3", "cdc-2", "cdc-1"], "newest first");
    assert_eq!(found(&city, COMMAND, "id=cdc-2").await.0, ["cdc-2"]);
    assert_eq!(found(&city, COMMAND, "id=cdc").await.0, [""; 0], "to the letter");
    assert_eq!(found(&city, COMMAND, "id=%25").await.0, [""; 0], "no wildcards");
    assert_eq!(found(&city, COMMAND, "kind=close_contact").await.0.len(), 3);
    assert_eq!(found(&city, COMMAND, "kind=case").await.0, [""; 0]);
    assert_eq!(found(&city, COMMAND, "district=500112").await.0, [""; 0]);
    assert_eq!(found(&city, COMMAND, "from=2026-11-02T04:30:00Z").await.0, ["cdc-3"]);
    assert_eq!(found(&city, COMMAND, "to=2026-11-02T04:30:00Z").await.0, ["cdc-2", "cdc-1"]);

    // page by page
    let (first, page) = found(&city, COMMAND, "limit=2").await;
    let next = page["next"].as_i64().unwrap();
    assert_eq!((first.len(), found(&city, COMMAND, &format!("limit=2&cursor={next}")).await.0), (2, vec!["cdc-1".to_owned()]));

    // a source finds its own, whatever it asks for
    assert_eq!(found(&city, CDC, "").await.0.len(), 3);
    assert_eq!(found(&city, LABORATORY, "").await.0, [""; 0]);
    assert_eq!(found(&city, LABORATORY, "id=cdc-1").await.0, [""; 0]);
    assert_eq!(found(&city, LABORATORY, "source=%E5%B8%82%E7%96%BE%E6%8E%A7%E4%B8%AD%E5%BF%83").await.0, [""; 0]);
    let (_, all) = found(&city, COMMAND, "").await;
    assert!(!all.to_string().contains("13800005678"), "nobody whom a record is about");
    city.end().await;
}
