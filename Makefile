# make run · make test · make bench — see README.md

SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)

# Queries are checked against the committed descriptions in .sqlx; `make sqlx` renews them.
export SQLX_OFFLINE := true

.PHONY: help run build test lint services sqlx bench clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: build ## the whole platform in one process, with simulated providers and a demo city
	$(TARGET)/release/fenghuo up $(ARGS)

build: ## the release binary, pages included
	$(CARGO) build --release --locked --workspace --bin fenghuo

test: services ## every test, on the embedded set and on PostgreSQL, RabbitMQ and Redis
	. deploy/dev/test-environment.sh && $(CARGO) test --locked --workspace

lint: ## formatting and clippy, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

services: ## PostgreSQL, RabbitMQ and Redis on their usual local ports, installed if they are missing
	bash deploy/dev/services.sh

sqlx: services ## renew .sqlx, the committed descriptions of the queries, from the migrations
	bash deploy/dev/sqlx.sh

bench: services ## the measurements, each with its limit
	$(CARGO) build --release --locked --workspace --bin fenghuo --bin ingest
	$(TARGET)/release/ingest

clean: ## what was built
	$(CARGO) clean
