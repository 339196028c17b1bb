//! How many people an audience has.

use std::time::Instant;

use anyhow::ensure;
use domain::place;
use platform::Platform;
use resident::headcount::{CopySize, Headcount};
use serde_json::{Value, json};

use crate::{Client, STAFF, Times};

const ASKS: usize = 100;

#[derive(serde::Serialize)]
pub(crate) struct Figures {
    pub(crate) asked: Vec<Asked>,
    pub(crate) cells: usize,
    pub(crate) copy_bytes: usize,
    pub(crate) load_ms: f64,
}

#[derive(serde::Serialize)]
pub(crate) struct Asked {
    pub(crate) audience: &'static str,
    pub(crate) people: i64,
    pub(crate) times: Times,
}

pub(crate) async fn measure(platform: &Platform, client: &Client) -> anyhow::Result<Figures> {
    let begun = Instant::now();
    let CopySize { cells, bytes } = Headcount::new(platform.database.clone()).refresh().await?;
    let load_ms = begun.elapsed().as_secs_f64() * 1e3;

    compare_with_everybody(platform, client).await?;
    let mut asked = Vec::new();
    for (audience, query) in audiences() {
        let mut took = Vec::with_capacity(ASKS);
        let mut people = 0;
        for _ in 0..ASKS {
            let (answer, time) = client.timed(request(client, &query)).await?;
            took.push(time);
            people = serde_json::from_slice::<Value>(&answer)?["people"].as_i64().unwrap_or_default();
        }
        asked.push(Asked { audience, people, times: Times::of(took) });
    }
    Ok(Figures { asked, cells, copy_bytes: bytes, load_ms })
}

fn audiences() -> Vec<(&'static str, Value)> {
    let townships: Vec<_> = place::townships().iter().step_by(150).map(|township| township.code).collect();
    let districts: Vec<_> = place::districts().iter().take(12).map(|district| district.code).collect();
    let community = place::communities()[place::communities().len() / 2].code;
    vec![
        ("whole city", json!({ "include": [{ "areas": ["city"] }] })),
        ("one district", json!({ "include": [{ "areas": ["500103"] }] })),
        ("seven townships", json!({ "include": [{ "areas": townships }] })),
        ("one community", json!({ "include": [{ "areas": [community] }] })),
        ("one industry", json!({ "include": [{ "areas": ["city"], "industries": ["education"] }] })),
        ("one language", json!({ "include": [{ "areas": ["city"], "languages": ["en"] }] })),
        (
            "twelve districts, three industries, and seven townships",
            json!({ "include": [{ "areas": districts, "industries": ["education", "health", "transport"] }, { "areas": townships }] }),
        ),
        (
            "city without three districts, one industry, one language",
            json!({ "include": [{ "areas": ["city"] }],
                    "exclude": [{ "areas": &districts[..3] }, { "industries": ["postal"] }, { "areas": townships, "languages": ["en"] }] }),
        ),
    ]
}

fn request(client: &Client, query: &Value) -> reqwest::RequestBuilder {
    client.http.post(format!("{}/audience/size", client.base)).bearer_auth(STAFF).json(query)
}

/// The answer for the whole city is that of a look at everybody, also by channel and provider.
async fn compare_with_everybody(platform: &Platform, client: &Client) -> anyhow::Result<()> {
    let row = sqlx::query!(
        r#"select count(*) as "people!", count(*) filter (where app) as "app!", count(*) filter (where apns) as "apns!",
                  count(*) filter (where fcm) as "fcm!", count(*) filter (where sms and not app) as "sms!",
                  count(*) filter (where not sms and not app) as "unreachable!"
           from resident.reach"#
    )
    .fetch_one(platform.database.pool())
    .await?;
    let (answer, _) = client.timed(request(client, &json!({ "include": [{ "areas": ["city"] }] }))).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let told = ["people", "app", "apns", "fcm", "sms", "unreachable"].map(|field| answer[field].as_i64());
    let looked = [row.people, row.app, row.apns, row.fcm, row.sms, row.unreachable].map(Some);
    ensure!(told == looked, "the city is told as {told:?}, but has {looked:?}");
    Ok(())
}
