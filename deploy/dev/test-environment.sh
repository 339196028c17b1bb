# Where the tests find the services; sourced by `make test`.
if [ -z "${FENGHUO_TEST_POSTGRES:-}" ] && ! psql -qAt -h 127.0.0.1 -U postgres -c 'select 1' postgres >/dev/null 2>&1 </dev/null; then
    export FENGHUO_TEST_POSTGRES=postgres://fenghuo_test:fenghuo_test@127.0.0.1:5432/postgres
fi
