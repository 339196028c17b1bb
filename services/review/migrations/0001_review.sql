-- The life of an alert (CQ8): one row an alert, every step in its history.
create schema if not exists review;

create table review.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);

create table review.alert (
    alert_id uuid primary key,
    short_code text not null,
    state text not null,              -- domain::alert_state::State
    class text not null check (class in ('routine', 'urgent')),
    district int,                     -- null: the whole city
    content jsonb not null,           -- domain::alert::AlertContent
    audience bytea not null,          -- domain::audience::Audience
    -- where it comes from
    rule_id uuid,
    rule_version int,
    records int not null default 0,
    missing text[] not null default '{}',  -- template variables nobody could fill
    -- three different people, two for an urgent alert
    submitter uuid not null,
    -- the platform may submit it: made by a rule, nothing missing, never returned or edited
    automatic boolean not null default false,
    district_reviewer uuid,
    city_reviewer uuid,
    -- optimistic lock: a decision names the version it was made on
    version int not null default 1,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    approved_at timestamptz,
    handed_over_at timestamptz,
    corrects uuid references review.alert,
    constraint different_people check (
        submitter is distinct from district_reviewer
        and submitter is distinct from city_reviewer
        and (district_reviewer is null or district_reviewer is distinct from city_reviewer)
    ),
    -- nothing is approved without its reviews
    constraint reviewed check (
        approved_at is null
        or (class = 'routine' and district_reviewer is not null and city_reviewer is not null)
        or (class = 'urgent' and city_reviewer is not null)
    )
);
-- the queues of districts and city
create index alert_by_state on review.alert (state, district, created_at);
-- an SMS names an alert by its short code; unique among alerts that can still be answered
create unique index alert_short_code on review.alert (short_code)
    where state not in ('closed', 'refused', 'cancelled', 'superseded');

-- Every step, who took it and why.
create table review.step (
    alert_id uuid not null references review.alert,
    version int not null,
    action text not null,
    from_state text not null,
    to_state text not null,
    actor uuid,           -- null: the system
    reason text,
    at timestamptz not null,
    primary key (alert_id, version)
);

-- Published for dispatch --------------------------------------------------------------------------
create view review.approved_alert as
select alert_id, short_code, class, content, audience, approved_at, district, corrects,
       content ->> 'status' = 'exercise' as exercise
from review.alert
where approved_at is not null;
