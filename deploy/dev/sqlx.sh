#!/usr/bin/env bash
# Renews .sqlx from the migrations: a scratch database, all migrations, one check of every crate with queries.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/dev/test-environment.sh
server=${FENGHUO_TEST_POSTGRES:-postgres://postgres@127.0.0.1:5432/postgres}
database=fenghuo_sqlx
psql -q "$server" -c "drop database if exists $database" -c "create database $database"
url="${server%/*}/$database"
for migration in services/*/migrations/*.sql services/*/migrations/*/*.sql; do
    [ -e "$migration" ] || continue
    schema=$(basename "$(dirname "$migration")")
    [ "$schema" = migrations ] && schema=$(basename "$(dirname "$(dirname "$migration")")")
    psql -q -v ON_ERROR_STOP=1 "$url" -c "create schema if not exists $schema" -f "$migration"
done
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"; psql -q "$server" -c "drop database if exists $database"' EXIT
# Only queries that are compiled anew are described, so every file with one counts as changed.
find services benches tests -name '*.rs' -exec grep -l 'sqlx::query' {} + | xargs -r touch
SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$fresh" DATABASE_URL="$url" cargo check --workspace --all-targets
rm -rf .sqlx && mkdir .sqlx && cp "$fresh"/query-*.json .sqlx/
echo "sqlx: $(ls .sqlx | wc -l) queries described"
