-- Alerts that were stopped: what the centre has of them and has not delivered is taken back, page by page. A row goes when that is done.
create table sms.stopped (
    alert_id uuid primary key,
    stopped_at timestamptz not null,
    next_at timestamptz not null,            -- of the next page
    pass smallint not null default 1,        -- the second is for what was on the wire during the first
    -- what was asked for last
    batch_id bigint not null default -1,
    resident_no bigint not null default -1,
    part smallint not null default -1
);
create index stopped_next on sms.stopped (next_at);
