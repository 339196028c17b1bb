//! Somebody who may do everything in the database: triggers are off for them, and they know how every hash is made. They have no key.

use audit::chain::{Hash, Head};
use audit::tree::{Frontier, leaf};
use platform::database::Database;

/// What stands in the way of others does not stand in theirs.
pub async fn does(database: &Database, statements: &[&'static str]) {
    let mut tx = database.begin().await.unwrap();
    for statement in ["set local session_replication_role = replica"].iter().chain(statements) {
        sqlx::query(*statement).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Rewrites the whole trace as they like it, every number, hash and node of the tree made to fit.
pub async fn rewrites(database: &Database, change: impl FnOnce(&mut Vec<String>)) {
    let mut bodies: Vec<String> =
        sqlx::query_scalar("select body from audit.entry order by sequence").fetch_all(database.pool()).await.unwrap();
    change(&mut bodies);
    let (mut end, mut tree) = (Head::GENESIS, Frontier::default());
    let mut tx = database.begin().await.unwrap();
    for statement in ["set local session_replication_role = replica", "delete from audit.entry", "delete from audit.subtree"] {
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
    }
    for body in bodies {
        let (_, rest) = body.split_once(',').unwrap();
        let body = format!("{{\"sequence\":{},{rest}", end.sequence + 1);
        end = end.then(&body);
        let nodes: Vec<u8> = tree.push(leaf(&body)).iter().flat_map(|node: &Hash| node.bytes().to_vec()).collect();
        sqlx::query("insert into audit.entry (sequence, entry_id, body, hash) values ($1, ($2::jsonb ->> 'entry_id')::uuid, $2, $3)")
            .bind(end.sequence)
            .bind(&body)
            .bind(end.hash.bytes())
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query("insert into audit.subtree (sequence, hashes) values ($1, $2)")
            .bind(end.sequence)
            .bind(nodes)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    sqlx::query("update audit.head set sequence = $1, hash = $2, tree_size = $1, frontier = $3")
        .bind(end.sequence)
        .bind(end.hash.bytes())
        .bind(tree.to_bytes())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// The hash of the tree as they have made it.
pub async fn root(database: &Database) -> Hash {
    let bodies: Vec<String> =
        sqlx::query_scalar("select body from audit.entry order by sequence").fetch_all(database.pool()).await.unwrap();
    let mut tree = Frontier::default();
    bodies.iter().for_each(|body| drop(tree.push(leaf(body))));
    tree.root()
}
