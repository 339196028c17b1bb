-- Public screens (CQ9 c): which there are, what they show, what they showed.
create schema if not exists display;

create table display.screen (
    screen_id uuid primary key,
    name text not null,
    place text not null,                   -- where it hangs, as people say it
    area text not null,                    -- domain::area::Area
    languages text[] not null check (cardinality(languages) > 0),
    form text not null check (form in ('scrolling', 'full')),
    drill boolean not null,                -- shows exercises, and is only seen by those who take part
    key_hash bytea not null check (octet_length(key_hash) = 32),
    created_by uuid not null,
    created_at timestamptz not null,
    retired_at timestamptz,
    last_heartbeat_at timestamptz,
    showing_revision bigint                -- which playlist it said it shows
);
create unique index screen_key on display.screen (key_hash) where retired_at is null;

-- Every change of what is to be shown takes the next number; screens resume by it.
create sequence display.revision;

create table display.alert (
    alert_id uuid primary key,
    urgent boolean not null,
    exercise boolean not null,
    content jsonb not null,                -- domain::alert::AlertContent
    areas text[] not null,                 -- whom it concerns: screens that touch one of these show it
    released_at timestamptz not null,
    expires_at timestamptz not null,
    state text not null default 'live' check (state in ('live', 'stopped', 'expired')),
    ended_at timestamptz,
    revision bigint not null default nextval('display.revision'),
    check ((state = 'live') = (ended_at is null))
);
create index alert_live on display.alert (expires_at) where state = 'live';
create index alert_revision on display.alert (revision);

-- alert.stopped may overtake alert.released; the stop is kept so that it still holds.
create table display.stop (
    alert_id uuid primary key,
    stopped_at timestamptz not null
);

-- An alert is handed over to a screen when the screen has fetched it.
create table display.hand_over (
    alert_id uuid not null,
    screen_id uuid not null references display.screen,
    handed_over_at timestamptz not null,
    first_shown_at timestamptz,
    last_shown_at timestamptz,
    plays bigint not null default 0,
    primary key (alert_id, screen_id)
);

-- Proof of play; the screen names each play, so that sending it again changes nothing.
create table display.play (
    screen_id uuid not null references display.screen,
    play_id uuid not null,
    alert_id uuid not null,
    shown_at timestamptz not null,
    seconds integer not null check (seconds >= 0),
    primary key (screen_id, play_id)
);

create table display.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);
