#!/usr/bin/env bash
# Makes PostgreSQL, RabbitMQ and Redis answer on their usual local ports, for the tests, and Chromium ready for those of the pages.
#
# What already answers is used as it is. What is missing is installed with apt (Debian 12, Ubuntu) and started.
# A service that still does not answer afterwards is an error: tests never skip a real component.
set -euo pipefail

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

apt_updated=
install() {
    command -v apt-get >/dev/null || { echo "services: $* is not running and this system has no apt-get to install it with" >&2; exit 1; }
    if [ -z "$apt_updated" ]; then as_root apt-get update -qq; apt_updated=yes; fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

wait_for() {
    for _ in $(seq 120); do
        if answers "$2"; then echo "services: $1 answers on port $2"; return; fi
        sleep 0.5
    done
    echo "services: $1 does not answer on 127.0.0.1:$2 after 60 seconds" >&2
    exit 1
}

start_service() { # name of the unit
    if [ -d /run/systemd/system ]; then as_root systemctl start "$1"; else as_root service "$1" start; fi
}

if ! answers 5432; then
    command -v pg_lsclusters >/dev/null || install postgresql
    start_service postgresql || true
fi
if ! answers 5672; then
    command -v rabbitmq-server >/dev/null || install rabbitmq-server
    start_service rabbitmq-server || as_root rabbitmq-server -detached
fi
if ! answers 6379; then
    command -v redis-server >/dev/null || install redis-server
    start_service redis-server || as_root redis-server --daemonize yes --bind 127.0.0.1 --save "" --appendonly no
fi

# The stories of the pages need a browser, and letters to draw Chinese with.
if ! [ -x "${CHROMIUM:-/usr/bin/chromium}" ]; then install chromium; fi
if ! fc-list :lang=zh 2>/dev/null | grep -q .; then install fonts-noto-cjk; fi

# The manual's walk by the interface is played as it stands: with curl and jq.
command -v curl >/dev/null || install curl
command -v jq >/dev/null || install jq

wait_for PostgreSQL 5432
wait_for RabbitMQ 5672
wait_for Redis 6379

# The tests connect as the role postgres over TCP. Where that needs a password, they get one of their own.
if ! psql -qAt -h 127.0.0.1 -U postgres -c 'select 1' postgres >/dev/null 2>&1 </dev/null; then
    test -n "${FENGHUO_TEST_POSTGRES:-}" || as_root runuser -u postgres -- \
        psql -qAt -c "do \$\$ begin create role fenghuo_test login superuser password 'fenghuo_test'; exception when duplicate_object then null; end \$\$" >/dev/null
fi
