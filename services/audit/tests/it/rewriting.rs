//! A database superuser rewrites the trace; whoever kept a signed head finds it, at the running database and offline.

use audit::Finding;
use audit::chain::Hash;
use audit::check::Kept;
use audit::head::SignedHead;
use audit::tree::leaf;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use rstest::rstest;
use serde_json::json;
use stages::Store;

use crate::office::Office;
use crate::superuser;
use crate::trace::approved;

/// Five entries, signed, and the head in the vault.
async fn office() -> Office {
    let office = Office::opened_on(Store::Postgres).await;
    office.append((1..=5).map(|number| approved("a", number))).await;
    office.a_minute_later().await;
    assert_eq!(office.found().await, [], "nothing was done to it yet");
    office
}

/// Found by both checks.
async fn finds(office: &Office, findings: &[Finding]) {
    assert_eq!(office.found().await, findings, "at the running database");
    assert_eq!(office.found_offline().await, findings, "offline");
}

#[tokio::test]
async fn an_entry_that_was_edited_is_found() {
    let office = office().await;
    superuser::does(&office.platform.database, &["update audit.entry set body = replace(body, 'approve', 'refuse') where sequence = 2"])
        .await;
    finds(&office, &[Finding::Edited { sequence: 2 }]).await;
    office.close().await;
}

#[tokio::test]
async fn an_entry_that_was_edited_with_all_hashes_made_to_fit_is_found() {
    let office = office().await;
    superuser::rewrites(&office.platform.database, |bodies| bodies[1] = bodies[1].replace("approve", "refuse")).await;
    finds(&office, &[Finding::Rewritten { first: 2, last: 2 }]).await;
    office.close().await;
}

#[tokio::test]
async fn an_entry_that_was_deleted_is_found() {
    let office = office().await;
    superuser::does(&office.platform.database, &["delete from audit.entry where sequence in (2, 3)"]).await;
    finds(&office, &[Finding::Deleted { first: 2, last: 3 }]).await;
    office.close().await;
}

#[tokio::test]
async fn an_entry_that_was_deleted_with_the_others_moved_up_is_found() {
    let office = office().await;
    superuser::rewrites(&office.platform.database, |bodies| drop(bodies.remove(2))).await;
    finds(&office, &[Finding::Rewritten { first: 3, last: 4 }, Finding::CutOff { last: 4, signed: 5 }]).await;
    office.close().await;
}

#[tokio::test]
async fn entries_that_changed_places_are_found() {
    let office = office().await;
    let exchange = [
        "update audit.entry set sequence = 99 where sequence = 2",
        "update audit.entry set sequence = 2 where sequence = 3",
        "update audit.entry set sequence = 3 where sequence = 99",
    ];
    superuser::does(&office.platform.database, &exchange).await;
    finds(&office, &[Finding::Moved { sequence: 2, behind: 3 }]).await;
    superuser::rewrites(&office.platform.database, |_| ()).await;
    finds(&office, &[Finding::Rewritten { first: 2, last: 3 }]).await;
    office.close().await;
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_found() {
    let office = office().await;
    superuser::rewrites(&office.platform.database, |bodies| bodies.truncate(3)).await;
    finds(&office, &[Finding::CutOff { last: 3, signed: 5 }]).await;
    office.close().await;
}

#[tokio::test]
async fn a_trace_that_was_written_anew_from_its_first_entry_is_found() {
    let office = office().await;
    superuser::rewrites(&office.platform.database, |bodies| {
        bodies.iter_mut().for_each(|body| *body = body.replace("wang", "li"));
    })
    .await;
    finds(&office, &[Finding::Rewritten { first: 1, last: 5 }]).await;
    office.close().await;
}

#[tokio::test]
async fn one_head_alone_shows_that_something_was_rewritten_though_not_what() {
    let office = office().await;
    superuser::rewrites(&office.platform.database, |bodies| bodies[1] = bodies[1].replace("approve", "refuse")).await;
    let heads = office.kept().heads.into_iter().map(|head| SignedHead { leaves: Vec::new(), ..head }).collect();
    let report = audit::check_proof(Kept { heads, ..office.kept() }, office.proof(0).await);
    assert_eq!(report.findings, [Finding::RewrittenWithin { first: 1, last: 5 }]);
    office.close().await;
}

#[tokio::test]
async fn a_trace_that_was_rewritten_is_not_signed_any_more() {
    let office = office().await;
    superuser::rewrites(&office.platform.database, |bodies| bodies[1] = bodies[1].replace("approve", "refuse")).await;
    office.append([approved("a", 6)]).await;
    office.a_minute_later().await;
    assert_eq!(office.count("select count(*) from audit.signed_head").await, 1, "no new head covers it up");
    let refused = "select count(*) from jobs.run where job = 'audit.sign_heads' and error like '%not the one that was signed%'";
    assert_eq!(office.count(refused).await, 1, "and the operator sees why");
    office.close().await;
}

#[tokio::test]
async fn a_trace_that_was_rewritten_and_lost_its_heads_is_not_signed_anew() {
    let office = office().await;
    superuser::rewrites(&office.platform.database, |bodies| bodies[1] = bodies[1].replace("approve", "refuse")).await;
    superuser::does(&office.platform.database, &["delete from audit.signed_head"]).await;
    office.append([approved("a", 6)]).await;
    superuser::rewrites(&office.platform.database, |bodies| bodies.truncate(5)).await;
    office.a_minute_later().await;
    assert_eq!(office.count("select count(*) from audit.signed_head").await, 0, "what was signed is remembered");
    let trouble = office.trouble().await;
    assert!(trouble.contains("a head over 5 entries was signed and is not in the database any more"), "{trouble}");
    let after_a_restart = office.reopened().await;
    after_a_restart.a_minute_later().await;
    assert_eq!(after_a_restart.count("select count(*) from audit.signed_head").await, 0, "and stands in the vault");
    after_a_restart.close().await;
}

#[tokio::test]
async fn a_head_that_was_deleted_from_among_the_others_is_missed() {
    let office = office().await;
    office.append([approved("a", 6)]).await;
    office.a_minute_later().await;
    superuser::does(&office.platform.database, &["delete from audit.signed_head where size = 5"]).await;
    office.append([approved("a", 7)]).await;
    office.a_minute_later().await;
    assert!(office.trouble().await.contains("a head over 5 entries was signed"), "{}", office.trouble().await);
    let own_alone = audit::check_database(&office.platform.database, Kept::default()).await.unwrap().findings;
    assert!(own_alone.contains(&Finding::HeadGone { size: 5 }), "{own_alone:?}");
    office.close().await;
}

#[tokio::test]
async fn a_key_that_was_deleted_is_not_made_anew() {
    let office = office().await;
    superuser::does(&office.platform.database, &["delete from audit.signing_key"]).await;
    let office = office.reopened().await;
    office.append([approved("a", 6)]).await;
    office.a_minute_later().await;
    assert_eq!(office.count("select count(*) from audit.signing_key").await, 0);
    assert_eq!(office.count("select count(*) from audit.signed_head").await, 1);
    assert!(office.trouble().await.contains("it is gone, though heads were signed with it"), "{}", office.trouble().await);
    superuser::does(&office.platform.database, &["delete from audit.signed_head"]).await;
    let office = office.reopened().await;
    office.a_minute_later().await;
    assert_eq!(office.count("select count(*) from audit.signing_key").await, 0, "nor where the vault alone still has heads");
    office.close().await;
}

#[rstest]
#[case::an_entry_is_gone(&["delete from audit.entry where sequence = 3", "delete from audit.subtree", "update audit.head set tree_size = 0, frontier = ''"])]
#[case::the_end_of_the_tree_is_damaged(&["update audit.head set frontier = ''"])]
#[case::the_tree_is_larger_than_the_trace(&["update audit.head set tree_size = 8, frontier = decode(repeat('00', 32), 'hex')"])]
#[tokio::test]
async fn a_damaged_trace_starts_goes_on_and_says_so(#[case] damage: &'static [&'static str]) {
    let office = office().await;
    superuser::does(&office.platform.database, damage).await;
    let office = office.reopened().await;
    office.append([approved("a", 6), approved("a", 7)]).await;
    assert_eq!(office.count("select max(sequence) from audit.entry").await, 7, "what comes is appended");
    office.a_minute_later().await;
    assert_eq!(office.count("select count(*) from audit.signed_head").await, 1, "and nothing is signed over it");
    let trouble = office.trouble().await;
    assert!(trouble.contains("audit entries that no signed head can cover"), "{trouble}");
    office.close().await;
}

#[tokio::test]
async fn two_heads_over_as_many_entries_are_a_fork() {
    let office = office().await;
    let signer = Ed25519KeyPair::generate().unwrap();
    let signed = |root: Hash| {
        let signature = signer.sign(format!("fenghuo audit head\n5\n{root}\n7\n").as_bytes());
        let signature = hex::encode(signature.as_ref());
        let key = hex::encode(signer.public_key().as_ref());
        let head = json!({ "size": 5, "root": root, "at_ms": 7, "public_key": key, "signature": signature, "after": 0 });
        serde_json::from_value::<SignedHead>(head).unwrap()
    };
    let root = superuser::root(&office.platform.database).await;
    let heads = vec![signed(root), signed(leaf("another"))];
    let found = audit::check_proof(Kept { key: Some(heads[0].public_key), heads }, office.proof(0).await).findings;
    assert_eq!(found, [Finding::Forked { size: 5 }]);
    office.close().await;
}

#[tokio::test]
async fn an_entry_with_a_number_beyond_all_others_ends_no_check() {
    let office = office().await;
    let far = r#"insert into audit.entry (sequence, entry_id, body, hash)
        select 9000000000000000000, gen_random_uuid(), replace(body, '"sequence":1,', '"sequence":9000000000000000000,'), hash from audit.entry where sequence = 1"#;
    superuser::does(&office.platform.database, &[far]).await;
    let found = office.found().await;
    assert!(found.contains(&Finding::Deleted { first: 6, last: 8_999_999_999_999_999_999 }), "{found:?}");
    office.close().await;
}

#[tokio::test]
async fn a_head_that_was_signed_with_another_key_is_found() {
    let office = office().await;
    superuser::rewrites(&office.platform.database, |bodies| bodies[1] = bodies[1].replace("approve", "refuse")).await;
    let root = superuser::root(&office.platform.database).await;
    let forger = Ed25519KeyPair::generate().unwrap();
    let signature = forger.sign(format!("fenghuo audit head\n5\n{root}\n7\n").as_bytes());
    superuser::does(&office.platform.database, &["delete from audit.signed_head"]).await;
    sqlx::query("insert into audit.signed_head (size, after, root, at_ms, public_key, signature) values (5, 0, $1, 7, $2, $3)")
        .bind(root.bytes())
        .bind(forger.public_key().as_ref())
        .bind(signature.as_ref())
        .execute(office.pool())
        .await
        .unwrap();
    let found = office.found().await;
    assert!(matches!(found.as_slice(), [Finding::ForeignKey { size: 5, .. }, Finding::Rewritten { first: 2, last: 2 }]), "{found:?}");
    let stolen = "update audit.signed_head set public_key = (select public_key from audit.signing_key)";
    superuser::does(&office.platform.database, &[stolen]).await;
    assert_eq!(office.found().await, [Finding::FalseSignature { size: 5 }, Finding::Rewritten { first: 2, last: 2 }]);
    office.close().await;
}

#[tokio::test]
async fn a_head_that_the_database_has_forgotten_is_found() {
    let office = office().await;
    superuser::does(&office.platform.database, &["delete from audit.signed_head"]).await;
    assert_eq!(office.found().await, [Finding::HeadGone { size: 5 }]);
    office.close().await;
}

#[rstest]
#[case::an_entry("update audit.entry set hash = hash")]
#[case::the_tree("update audit.subtree set hashes = hashes")]
#[case::a_signed_head("update audit.signed_head set root = set_byte(root, 0, (get_byte(root, 0) + 1) % 256)")]
#[case::all_signed_heads("delete from audit.signed_head")]
#[case::the_key("update audit.signing_key set public_key = set_byte(public_key, 0, (get_byte(public_key, 0) + 1) % 256)")]
#[tokio::test]
async fn who_is_no_superuser_is_refused_by_the_database(#[case] statement: &'static str) {
    let office = office().await;
    let refused = sqlx::query(statement).execute(office.pool()).await.unwrap_err();
    assert!(refused.to_string().contains("only ever appended"), "{refused}");
    office.close().await;
}
