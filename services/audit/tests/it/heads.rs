//! Heads are signed and kept, entries are proved to be in the trace, and the trace to go on from what it was.

use std::time::Instant;

use audit::Head;
use audit::check::Kept;
use ct_merkle::array::Array;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use http::StatusCode;
use serde_json::Value;
use sha2::Sha256;
use stages::Store;

use crate::office::{ADMINISTRATOR, AUDITOR, Office};
use crate::superuser;
use crate::trace::approved;

type Digest = Array<u8, <Sha256 as sha2::digest::OutputSizeUser>::OutputSize>;

fn digest(hash: &Value) -> Digest {
    Array::try_from(hex::decode(hash.as_str().unwrap()).unwrap().as_slice()).unwrap()
}

fn path(proof: &Value) -> Vec<Digest> {
    proof["path"].as_array().unwrap().iter().map(digest).collect()
}

async fn answer(office: &Office, address: &str) -> Value {
    let (status, answer) = office.get(AUDITOR, address).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

#[tokio::test]
async fn a_head_is_signed_every_minute_in_which_something_came_and_stands_in_the_vault() {
    let office = Office::opened().await;
    office.a_minute_later().await;
    assert_eq!(office.kept().heads.len(), 0, "there is nothing to sign");
    office.append((1..=3).map(|number| approved("a", number))).await;
    office.a_minute_later().await;
    office.a_minute_later().await;
    office.append([approved("a", 4)]).await;
    office.a_minute_later().await;
    let heads = office.kept().heads;
    assert_eq!(heads.iter().map(|head| (head.after, head.size, head.leaves.len())).collect::<Vec<_>>(), [(0, 3, 3), (3, 4, 1)]);
    assert!(heads.iter().all(audit::head::SignedHead::is_signed));
    let key = answer(&office, "/api/v1/audit/key").await;
    assert_eq!(key["public_key"], heads[0].public_key.to_string());
    assert_eq!(key["fingerprint"], heads[0].public_key.fingerprint());
}

#[tokio::test]
async fn heads_that_an_auditor_fetched_are_as_good_as_those_in_the_vault() {
    let office = Office::opened().await;
    office.append((1..=3).map(|number| approved("a", number))).await;
    office.a_minute_later().await;
    let fetched = office.vault.path().join("fetched.txt");
    std::fs::write(&fetched, answer(&office, "/api/v1/audit/heads").await.to_string()).unwrap();
    let kept = Kept::read(&[fetched], None).unwrap();
    assert_eq!((kept.heads, kept.key), (office.kept().heads, office.kept().key));
    assert_eq!(answer(&office, "/api/v1/audit/heads?after=3").await["heads"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn heads_wait_while_the_vault_is_away() {
    let office = Office::opened().await;
    let away = office.vault.path().with_extension("away");
    std::fs::rename(office.vault.path(), &away).unwrap();
    office.append([approved("a", 1)]).await;
    office.a_minute_later().await;
    assert_eq!(office.count("select count(*) from audit.signed_head where published_at_ms is null").await, 1);
    assert_eq!(office.count("select count(*) from jobs.run where error like '%could not be published%'").await, 1);
    std::fs::rename(&away, office.vault.path()).unwrap();
    office.a_minute_later().await;
    assert_eq!(office.kept().heads.len(), 1);
}

#[tokio::test]
async fn every_entry_is_proved_to_be_in_the_trace_without_the_others() {
    let office = Office::opened().await;
    office.append((1..=6).map(|number| approved("a", number))).await;
    for (sequence, size) in [(1_u64, 6_u64), (6, 6), (3, 3), (2, 5)] {
        let (status, text) = office.read(AUDITOR, &format!("/api/v1/audit/entries/{sequence}/proof?size={size}")).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let proof: Value = serde_json::from_str(&text).unwrap();
        let (_, after) = text.split_once("\"entry\":").unwrap();
        let (entry, _) = after.split_once(",\"sequence\":").unwrap();
        let (entry, _) = entry.rsplit_once('}').map(|(entry, _)| (format!("{entry}}}"), ())).unwrap();
        let root = RootHash::<Sha256>::new(digest(&proof["root"]), size);
        let inclusion = InclusionProof::from_digests(&path(&proof));
        assert!(root.verify_inclusion(&entry, sequence - 1, &inclusion).is_ok(), "{sequence} in {size}: {entry}");
        assert!(root.verify_inclusion(&entry.replace("wang", "li"), sequence - 1, &inclusion).is_err());
    }
    assert_eq!(office.get(AUDITOR, "/api/v1/audit/entries/7/proof").await.0, StatusCode::NOT_FOUND);
    assert_eq!(office.get(AUDITOR, "/api/v1/audit/entries/1/proof?size=7").await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_trace_is_proved_to_go_on_from_what_it_was() {
    let office = Office::opened().await;
    office.append((1..=7).map(|number| approved("a", number))).await;
    for (from, to) in [(1_u64, 7_u64), (3, 7), (4, 6), (7, 7)] {
        let proof = answer(&office, &format!("/api/v1/audit/consistency?from={from}&to={to}")).await;
        let old = RootHash::<Sha256>::new(digest(&proof["from_root"]), from);
        let new = RootHash::<Sha256>::new(digest(&proof["to_root"]), to);
        assert!(new.verify_consistency(&old, &ConsistencyProof::from_digests(&path(&proof))).is_ok(), "{from} to {to}");
    }
    for wrong in ["from=0", "from=8", "from=1&to=8", "from=5&to=4"] {
        let (status, _) = office.get(AUDITOR, &format!("/api/v1/audit/consistency?{wrong}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
}

#[tokio::test]
async fn nobody_but_auditors_sees_heads_and_proofs() {
    let office = Office::opened().await;
    for path in ["heads", "key", "losses", "consistency?from=1", "entries/1/proof"] {
        assert_eq!(office.get(ADMINISTRATOR, &format!("/api/v1/audit/{path}")).await.0, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_trace_from_before_there_was_a_tree_keeps_its_entries_and_gets_one() {
    let office = Office::opened().await;
    office.append((1..=5).map(|number| approved("a", number))).await;
    let before = office.proof(0).await;
    office.settle().await;
    let root = superuser::root(&office.platform.database).await;
    let of_before = ["delete from audit.subtree", "update audit.head set tree_size = 0, frontier = ''"];
    superuser::does(&office.platform.database, &of_before).await;
    office.a_minute_later().await;
    assert_eq!(office.proof(0).await[..5], before[..5], "byte for byte");
    assert_eq!(office.kept().heads[0].root, root);
    assert_eq!(office.found().await, []);
}

/// Prints how long appending takes in a trace of a few entries and of many; its limit stands in the benches.
#[tokio::test]
async fn appending_takes_no_longer_in_a_long_trace() {
    let office = Office::opened_on(Store::Postgres).await;
    let mut paces = Vec::new();
    for _ in 0..4 {
        let began = Instant::now();
        office.append((0..500).map(|number| approved("a", number))).await;
        paces.push(500.0 / began.elapsed().as_secs_f64());
    }
    println!("entries a second, each 500: {paces:.0?}");
    assert_eq!(audit::verify(Head::GENESIS, office.proof(0).await).unwrap().sequence, 2_000);
    office.close().await;
}
