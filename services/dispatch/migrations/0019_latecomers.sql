-- Who comes into an audience after it was planned is told late, once: in batches of wave 1 whose deadline is their own.

-- Arrivals (resident.arrived) before transaction `tx` have been looked at, and of those since as many as were there. While an older transaction
-- is still open, some are looked at more than once, which changes nothing.
create table dispatch.arrivals_seen (
    single boolean primary key default true check (single),
    tx xid8 not null default pg_snapshot_xmin(pg_current_snapshot()),
    seen bigint not null default 0
);
insert into dispatch.arrivals_seen default values;

-- The planning of wave 1 saw arrivals before this transaction; since then they are looked at when the wave is planned, and, once that is
-- done, with those of all other alerts.
alter table dispatch.wave
    add column arrived_to xid8 not null default pg_snapshot_xmin(pg_current_snapshot()),
    add column caught_up boolean not null default false;

-- Who came into an audience after it was planned: their inbox shows the alert at once, without a new audience for everybody.
create table dispatch.latecomer (
    resident_no integer not null,
    alert_id uuid not null references dispatch.alert,
    found_at timestamptz not null,
    planned_at timestamptz,                -- in a batch since then; null: still to be looked at
    primary key (resident_no, alert_id)
);
create index latecomer_to_plan on dispatch.latecomer (alert_id) where planned_at is null;

-- Who was in the audience when it was planned, and reached by neither way; told late after all, they are counted there no longer.
create table dispatch.no_channel (
    alert_id uuid not null references dispatch.alert,
    chunk integer not null,
    residents bytea not null,              -- Roaring bitmap, portable format
    primary key (alert_id, chunk)
);

-- When the audience was last published.
alter table dispatch.alert add column audience_at timestamptz;

-- Published for resident: who stands in the alert's batches, whether or not its audience is published so far. Planned batches only: retries
-- hold nobody else.
create view dispatch.recipient_range as
    select b.alert_id, b.first_no, b.last_no, r.recipients, a.expires_at
      from dispatch.batch b
      join dispatch.recipient_list r on r.alert_id = b.alert_id and r.batch_id = b.batch_id
      join dispatch.alert a on a.alert_id = b.alert_id
     where b.number < 1048576;

create view dispatch.late_recipient as
    select resident_no, alert_id from dispatch.latecomer;

-- Alerts whose audience is not published to its end.
create view dispatch.growing_alert as
    select a.alert_id
      from dispatch.alert a join dispatch.wave w on w.alert_id = a.alert_id and w.wave = 1
     where a.state in ('dispatching', 'active') and (a.exercise or not a.personal)
       and (w.state = 'planning' or w.chunks > a.audience_revision);
