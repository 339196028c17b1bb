-- The clock that leases go by: this database's, whatever those of their holders say. `ahead`: by how many seconds a rehearsal has put its own
-- time forward.
create function dispatch.lease_clock(ahead double precision) returns timestamptz language sql volatile
    as $$ select clock_timestamp() + make_interval(secs => ahead) $$;

-- Since when a provider refuses our credentials for a batch.
alter table dispatch.batch add column refused_since timestamptz;
