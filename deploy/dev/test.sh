#!/usr/bin/env bash
# Every test there is, the quick ones first; the first program that fails ends it. Then, where the time went.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/dev/test-environment.sh
told=$(mktemp)
trap 'rm -f "$told"' EXIT

run_tests() {
    "${CARGO:-cargo}" test --locked --workspace --config "target.'cfg(all())'.runner = ['$PWD/deploy/dev/timed']" "$@" 2>&1 | tee -a "$told"
}

# what needs nothing but this machine; most of it waits for databases, so twice as many at a time as there are processors
RUST_TEST_THREADS=$((2 * $(nproc))) run_tests
# what needs PostgreSQL, RabbitMQ and Redis, or Node.js with the npm registry (`#[ignore]` only says so)
run_tests --tests -- --ignored --skip pages::
# the pages in Chromium, which measure how quick they are, and therefore alone
run_tests --test it -- --ignored pages::

awk -f deploy/dev/slowest.awk "$told"
