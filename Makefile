# make run · make test · make bench — see README.md

SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
POSTGRES := services/private-postgres/packed/version

# Queries are checked against the committed descriptions in .sqlx; `make sqlx` renews them.
export SQLX_OFFLINE := true

.PHONY: help run build pages postgres test test-load lint docs supply sbom services sqlx attack bench bench-peers bench-pages clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: build ## the whole platform in one process, with simulated providers and a demo city
	$(TARGET)/release/fenghuo up $(ARGS)

build: pages postgres ## the release binary, pages and PostgreSQL included
	$(CARGO) build --release --locked --workspace --bin fenghuo

pages: ## the pages, built into the binary (needs Node.js 20 or newer)
	cd services/web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

postgres: $(POSTGRES) ## PostgreSQL for this machine, built into the binary (needs Node.js 20 or newer)

$(POSTGRES): services/private-postgres/package-lock.json services/private-postgres/pack.mjs
	cd services/private-postgres && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent pack-server

test: services pages postgres ## every test, on the embedded set and on PostgreSQL, RabbitMQ and Redis, and the pages in Chromium
	CARGO='$(CARGO)' bash deploy/dev/test.sh

lint: pages postgres ## formatting, clippy and the pages' types, warnings denied
	$(CARGO) fmt --all --check
	cd services/web && npm run --silent check && npm run --silent test
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

# The version of mdbook that makes the book, unless one is on the path.
MDBOOK_VERSION := 0.5.4
MDBOOK := $(or $(shell command -v mdbook),$(TARGET)/tools/bin/mdbook)

docs: $(MDBOOK) ## the manual as a book, in target/book
	$(MDBOOK) build docs --dest-dir $(abspath $(TARGET))/book
	@echo "the book is at $(abspath $(TARGET))/book/index.html"

$(TARGET)/tools/bin/mdbook:
	$(CARGO) install --locked --root $(TARGET)/tools --version $(MDBOOK_VERSION) --no-default-features --features search mdbook

# The versions of the tools that look at dependencies, unless they are on the path.
DENY_VERSION := 0.20.2
CYCLONEDX_VERSION := 0.5.9
DENY := $(or $(shell command -v cargo-deny),$(TARGET)/tools/bin/cargo-deny)
CYCLONEDX := $(or $(shell command -v cargo-cyclonedx),$(TARGET)/tools/bin/cargo-cyclonedx)

supply: $(DENY) ## licences, sources and known vulnerabilities of the dependencies (advisories need a network)
	$(DENY) check bans licenses sources
	cd services/web && npm audit --omit=dev
	$(DENY) check advisories

$(TARGET)/tools/bin/cargo-deny:
	$(CARGO) install --locked --root $(TARGET)/tools --version $(DENY_VERSION) cargo-deny

sbom: $(CYCLONEDX) ## the bill of materials, in target/sbom (CycloneDX)
	mkdir -p $(TARGET)/sbom
	$(CYCLONEDX) cyclonedx --manifest-path services/fenghuo/Cargo.toml --format json --target all --override-filename bill-of-materials
	mv services/fenghuo/bill-of-materials.json $(TARGET)/sbom/fenghuo.cdx.json
	rm -f {benches,proto,services/*,tests,tests/stages}/bill-of-materials.json # of every other crate of ours one is written as well
	cd services/web && npm sbom --sbom-format cyclonedx --omit dev > $(abspath $(TARGET))/sbom/pages.cdx.json
	@echo "the bill of materials is in $(abspath $(TARGET))/sbom"

$(TARGET)/tools/bin/cargo-cyclonedx:
	$(CARGO) install --locked --root $(TARGET)/tools --version $(CYCLONEDX_VERSION) cargo-cyclonedx

services: ## PostgreSQL, RabbitMQ and Redis on their usual local ports, installed if they are missing
	bash deploy/dev/services.sh

sqlx: services ## renew .sqlx, the committed descriptions of the queries, from the migrations
	bash deploy/dev/sqlx.sh

test-load: services ## the faults of `make test` with a million people
	. deploy/dev/test-environment.sh && FENGHUO_LOAD_RESIDENTS=1000000 $(CARGO) test --release --locked -p fenghuo -p benches --bin fenghuo --test it faults:: -- --ignored --nocapture

attack: build ## what attackers use, against a demo city of its own: some 20 minutes (needs Node.js 20 and Python 3.10)
	CARGO='$(CARGO)' node tests/attacks/tools/run.mjs $(TARGET)/release/fenghuo $(TARGET)/attack

bench: services ## the measurements, each with its limit
	$(CARGO) build --release --locked --workspace --bin fenghuo --bin ingest --bin fanout --bin preempt --bin acks --bin lookups
	$(TARGET)/release/ingest
	$(TARGET)/release/fanout
	$(TARGET)/release/preempt
	$(TARGET)/release/acks
	$(TARGET)/release/lookups

bench-peers: services ## the same audience with push services of other makes (needs Node.js 20 and Python 3.11)
	$(CARGO) build --release --locked --workspace --bin fenghuo --bin fanout
	. deploy/dev/test-environment.sh && benches/peers/run --binary $(TARGET)/release/fenghuo \
		--fenghuo '$(TARGET)/release/fanout --residents $$PEER_RECIPIENTS --no-limit --json' $(ARGS)

bench-pages: build ## how quick and steady the pages are in Chromium, held to their targets
	services/web/stories/measure $(TARGET)/release/fenghuo

clean: ## what was built
	$(CARGO) clean
