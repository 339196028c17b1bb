# Where the tests find the services; sourced by `make test`. What is named already stays as it is.
if [ -z "${FENGHUO_TEST_POSTGRES:-}" ]; then
    FENGHUO_TEST_POSTGRES=postgres://postgres@127.0.0.1:5432/postgres
    # where the role postgres has a password, services.sh has made a role of the tests' own
    psql -qAt "$FENGHUO_TEST_POSTGRES" -c 'select 1' >/dev/null 2>&1 </dev/null ||
        FENGHUO_TEST_POSTGRES=postgres://fenghuo_test:fenghuo_test@127.0.0.1:5432/postgres
fi
FENGHUO_TEST_RABBITMQ=${FENGHUO_TEST_RABBITMQ:-amqp://guest:guest@127.0.0.1:5672/%2f}
FENGHUO_TEST_REDIS=${FENGHUO_TEST_REDIS:-redis://127.0.0.1:6379/}
export FENGHUO_TEST_POSTGRES FENGHUO_TEST_RABBITMQ FENGHUO_TEST_REDIS
