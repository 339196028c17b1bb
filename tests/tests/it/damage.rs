//! One row that cannot be read, be it damaged or of a newer version of the platform, hides none of the others.

use chrono::{DateTime, Utc};
use domain::ids::StaffId;
use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use platform::crypto::Purpose;
use resident::generate::{self, People};
use resident::headcount::Headcount;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::{Who, Whole};
use uuid::Uuid;

fn morning() -> DateTime<Utc> {
    "2026-03-02T02:00:00Z".parse().unwrap()
}

fn staff(role: Role) -> Who {
    Who::Staff(role, Scope::City, 1)
}

/// Two of everything: one good, one that cannot be read.
const ROWS: &str = "
    insert into identity.staff (id, login, name, role, scope, password_hash, created_at) values
        ('00000000-0000-0000-0000-000000000001', 'good', '好', 'auditor', 'city', '', now()),
        ('00000000-0000-0000-0000-000000000002', 'odd', '怪', 'wizard', 'city', '', now());
    insert into identity.api_key (id, token_hash, unit, origin, area, kinds, created_by, created_at, expires_at)
        select ('00000000-0000-0000-0000-00000000000' || n)::uuid, sha256(n::text::bytea), '区疾控中心', 'surveillance',
               case n when 1 then 'city' else 'moon' end, '{case}', '00000000-0000-0000-0000-000000000001', now(), now() + interval '1 day'
          from generate_series(1, 2) as n;
    insert into display.screen (screen_id, name, place, area, languages, form, drill, key_hash, created_by, created_at)
        select ('00000000-0000-0000-0000-00000000000' || n)::uuid, '屏', '大厅', case n when 1 then '500103' else '50' end, '{zh-CN}', 'full',
               false, sha256(n::text::bytea), gen_random_uuid(), now()
          from generate_series(1, 2) as n;
    insert into dispatch.alert (alert_id, short_code, class, exercise, district, content, audience, personal, approved_at, release_at, due_at,
                                expires_at, ack_window_s, state, released_at, handed_over_at)
        select gen_random_uuid(), 'AB2C', 'routine', false, case n when 1 then 500103 else -1 end, '{}', '\\x02', false, $now, $now, $now,
               timestamptz $now + interval '1 day', 0, 'active', $now, $now
          from generate_series(1, 2) as n;
    insert into rules.draft (draft_id, rule_id, version, district, activated_by, opened_at, closes_at)
        select gen_random_uuid(), rule_id, 1, case n when 1 then 500103 else -1 end, gen_random_uuid(), $now, timestamptz $now + interval '1 hour'
          from generate_series(1, 2) as n, (select rule_id from rules.rule_version order by name limit 1) as rule;
    update rules.rule_version set definition = '{}' where rule_id = (select rule_id from rules.rule_version order by name desc limit 1);
    alter table audit.entry disable trigger user;
    update audit.entry set body = '{\"action\":\"\",\"actor\":\"\",\"object\":\"\",\"object_kind\":\"\",\"at_ms\":0}' where sequence = 1;
    alter table audit.entry enable trigger user;";

#[tokio::test]
async fn every_list_goes_on_without_the_row_that_cannot_be_read() {
    let whole = Whole::start(morning()).await;
    let platform = &whole.platform;
    generate::write(&People::new(3_800, 7), &platform.database, &platform.keyring, morning(), |_| ()).await.unwrap();
    rules::install_shipped(platform, StaffId::from_uuid(Uuid::from_u128(1))).await.unwrap();
    stages::until("what was installed is traced", async || entries(&whole).await.len() == 8).await;
    let rows = ROWS.replace("$now", &format!("'{}'", morning().to_rfc3339()));
    sqlx::raw_sql(AssertSqlSafe(rows)).execute(platform.database.pool()).await.unwrap();
    let good = platform.keyring.seal(Purpose::Feedback, "何时解除？".as_bytes()).into_bytes();
    for sealed in [good, vec![0; 40]] {
        sqlx::query(
            "insert into resident.feedback (resident_no, alert_id, kind, text_sealed, district, community, at)
             values (1, gen_random_uuid(), 'question', $1, 500103, 500103001001, now())",
        )
        .bind(sealed)
        .execute(platform.database.pool())
        .await
        .unwrap();
    }

    let (officer, administrator) = (staff(Role::CityCommandOfficer), staff(Role::Administrator));
    for (who, path, shown) in [
        (administrator, "/api/v1/staff", 1),
        (officer, "/api/v1/colleagues", 1),
        (administrator, "/api/v1/api-keys", 1),
        (officer, "/api/v1/screens", 1),
        (officer, "/api/v1/deliveries", 1),
        (officer, "/api/v1/rules/drafts", 1),
        (officer, "/api/v1/rules", 7),
        (officer, "/api/v1/feedback", 1),
    ] {
        let (status, list) = whole.ask(Some(who), &Method::GET, path, &Value::Null).await;
        assert_eq!((status, list.as_array().map(Vec::len)), (StatusCode::OK, Some(shown)), "{path}: {list}");
    }
    let own = whole.ask(Some(Who::Resident(1)), &Method::GET, "/api/v1/me/feedback", &Value::Null).await;
    assert_eq!((own.0, own.1.as_array().map(Vec::len)), (StatusCode::OK, Some(1)), "{}", own.1);
    assert_eq!(entries(&whole).await.len(), 7);
    whole.end().await;
}

/// The trace as an auditor reads it, in pages of two: a page with an entry that cannot be read is not the last one.
async fn entries(whole: &Whole) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), json!(i64::MAX));
    while !next.is_null() {
        let path = format!("/api/v1/audit/entries?limit=2&before={next}");
        let (status, page) = whole.ask(Some(staff(Role::Auditor)), &Method::GET, &path, &Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        all.extend(page["entries"].as_array().unwrap().iter().cloned());
        next = page["next"].clone();
    }
    all
}

#[tokio::test]
async fn somebody_who_lives_nowhere_is_not_counted_and_everybody_else_is() {
    let whole = Whole::start(morning()).await;
    let platform = &whole.platform;
    let people = People::new(3_800, 7);
    generate::write(&people, &platform.database, &platform.keyring, morning(), |_| ()).await.unwrap();
    let headcount = Headcount::new(platform.database.clone());
    let size = async || {
        let query = serde_json::from_value(json!({ "include": [{ "areas": ["city"] }] })).unwrap();
        headcount.of(&query).await.unwrap().everybody.people
    };
    let before = size().await;
    sqlx::query("update resident.resident set community = -1 where resident_no = 1").execute(platform.database.pool()).await.unwrap();
    assert_eq!(size().await, before - 1);
    whole.end().await;
}
