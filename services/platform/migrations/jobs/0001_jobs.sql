-- The scheduled work of all processes: when each job is due, who runs it, and how its runs ended.
create schema if not exists jobs;

create table jobs.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);

create table jobs.job (
    name text primary key,
    -- as the process says that last started with it
    cron text not null,
    time_zone text not null,
    about text not null,
    about_en text not null,
    due_at timestamptz not null,
    -- the run that somebody has asked for and no process has begun yet
    asked bigint,
    -- the run under way: what makes a job run once, whatever the number of processes
    running bigint,
    -- wall time, never the moved clock: by then whoever runs it gives a sign of life, or has died
    alive_until timestamptz,
    -- how many runs were lost with their process, the newest ones, in a row
    lost smallint not null default 0,
    check ((running is null) = (alive_until is null)),
    check (asked is null or running is null)
);

create table jobs.run (
    run_id bigint generated always as identity primary key,
    job text not null references jobs.job on delete cascade,
    -- the time that it answers; none where it was only asked for
    due_at timestamptz,
    asked_at timestamptz,
    asked_by uuid,               -- staff
    started_at timestamptz,
    finished_at timestamptz,
    outcome text check (outcome in ('done', 'failed', 'lost')),
    error text,
    took_ms bigint,              -- of real time
    did jsonb not null default '[]',
    check ((asked_at is null) = (asked_by is null)),
    check (due_at is not null or asked_at is not null),
    check ((finished_at is null) = (outcome is null)),
    check ((error is null) = (outcome is distinct from 'failed'))
);
-- at most one that is not over
create unique index run_open on jobs.run (job) where finished_at is null;
create index run_by_job on jobs.run (job, run_id desc);
