-- Dispatch: approved alerts, their waves, and the batch ledger.
--
-- The database is the queue with the order; the broker only carries what is about to be sent. What changes often
-- (dispatch.batch) is narrow; what never changes (dispatch.recipient_list) is written once, beside it, so that the four
-- updates in a batch's life do not copy five hundred resident numbers each. Together they cost about 4 bytes a recipient.

create schema if not exists dispatch;

-- One approved alert, copied from review.approved_alert when alert.approved arrived.
create table dispatch.alert (
    alert_id uuid primary key,
    short_code text not null,
    class text not null check (class in ('routine', 'urgent')),
    exercise boolean not null,
    district integer,                      -- whose alert it is; null: the city's
    content jsonb not null,
    audience bytea not null,               -- domain::audience codec, as approved
    personal boolean not null,             -- the audience names residents, not areas
    approved_at timestamptz not null,
    release_at timestamptz not null,       -- sending may begin (CQ10: after quiet hours for routine alerts)
    due_at timestamptz not null,           -- everybody handed over or unreachable (CQ10)
    expires_at timestamptz not null,
    ack_window_s bigint not null check (ack_window_s >= 0),
    state text not null check (state in ('waiting', 'dispatching', 'active', 'closed', 'cancelled', 'superseded')),
    released_at timestamptz,
    handed_over_at timestamptz,
    ended_at timestamptz,                  -- closed, cancelled or superseded
    -- Who finds the alert in the inbox: Roaring bitmap, portable format. Complete at release for explicit residents;
    -- grows with the planning for area audiences and exercises.
    audience_bitmap bytea,
    check ((state = 'waiting') = (released_at is null) or state in ('closed', 'cancelled', 'superseded')),
    check ((state in ('closed', 'cancelled', 'superseded')) = (ended_at is not null))
);
create index alert_to_release on dispatch.alert (release_at) where state = 'waiting';
create index alert_to_expire on dispatch.alert (expires_at) where state in ('waiting', 'dispatching', 'active');

-- alert.stopped may overtake alert.approved; the stop is kept so that it still holds.
create table dispatch.stop (
    alert_id uuid primary key,
    how text not null check (how in ('cancelled', 'superseded')),
    stopped_at timestamptz not null
);

-- One pass over the audience: 1 the first push, 2 the reminder.
create table dispatch.wave (
    alert_id uuid not null references dispatch.alert,
    wave smallint not null check (wave between 1 and 2),
    urgent boolean not null,
    due_at timestamptz not null,
    state text not null check (state in ('planning', 'sending', 'closed', 'settled')),
    -- Planned up to here: a resident number in wave 1, a batch of wave 1 in wave 2; while a closed wave 2 is being
    -- followed up, a batch of wave 2.
    planned_to bigint not null default -1,
    chunks integer not null default 0,
    next_number integer not null default 0, -- of the next planned batch
    recipients bigint not null default 0,
    no_channel bigint not null default 0,   -- in the audience, but reachable neither by app nor by SMS
    began_at timestamptz not null,
    planned_at timestamptz,
    closed_at timestamptz,
    silent_at timestamptz,                  -- who has not acknowledged by then is reminded, or followed up
    primary key (alert_id, wave)
);
create index wave_to_plan on dispatch.wave (urgent desc, due_at) where state = 'planning';
create index wave_to_watch on dispatch.wave (state) where state in ('sending', 'closed');

-- The unit of work, lease and record: some hundred recipients of one wave and one channel.
create table dispatch.batch (
    batch_id bigint generated always as identity primary key,
    alert_id uuid not null references dispatch.alert,
    due_at timestamptz not null,
    not_before timestamptz not null,
    lease_until timestamptz,                -- claimed (when released) or renewed (when claimed) by then, or ready again
    send_until timestamptz,                 -- when quiet hours begin for it; set by the pump
    first_hand_over_at timestamptz,
    closed_at timestamptz,
    number integer not null,                -- domain::batch::BatchNumber
    first_no bigint not null,
    last_no bigint not null,
    lease integer not null default 0,       -- counts claims; a holder of an older one has lost the batch
    wave smallint not null,
    size smallint not null check (size > 0),
    accepted smallint not null default 0,
    retried smallint not null default 0,    -- went on in a retry batch
    fell_back smallint not null default 0,  -- went on in an SMS batch
    unreachable smallint not null default 0,
    withdrawn smallint not null default 0,  -- alert ended, or acknowledged before the reminder left
    urgent boolean not null,
    channel text not null check (channel in ('app', 'sms')),
    state text not null check (state in ('ready', 'released', 'claimed', 'closed')),
    holder text,
    outcomes bytea,                         -- one domain::outcome byte per recipient; null: all pending
    unique (alert_id, wave, channel, number),
    check (outcomes is null or length(outcomes) = size),
    check (state <> 'closed' or accepted + retried + fell_back + unreachable + withdrawn = size)
) with (fillfactor = 85);
create index batch_ready on dispatch.batch (channel, urgent desc, due_at, batch_id) where state = 'ready';
create index batch_in_flight on dispatch.batch (channel, urgent) where state in ('released', 'claimed');
create index batch_in_wave on dispatch.batch (alert_id, wave, batch_id);
create index batch_open on dispatch.batch (alert_id, wave) where state <> 'closed';

-- Who is in a batch: ascending resident numbers, delta LEB128 (domain::batch). Written once.
create table dispatch.recipient_list (
    batch_id bigint primary key references dispatch.batch,
    recipients bytea not null
);
alter table dispatch.recipient_list alter column recipients set storage external;

-- A resident whom an alert did not move, for their community to visit.
create table dispatch.follow_up (
    follow_up_id bigint generated always as identity primary key,
    alert_id uuid not null references dispatch.alert,
    resident_no bigint not null,
    district integer not null,
    community bigint not null,
    reason text not null check (reason in ('silent', 'unreachable')),
    opened_at timestamptz not null,
    outcome text check (outcome in ('informed', 'not_found', 'refused', 'needs_help')),
    closed_by uuid,
    closed_at timestamptz,
    unique (alert_id, resident_no),
    check ((outcome is null) = (closed_at is null))
);
create index follow_up_open on dispatch.follow_up (community, follow_up_id) where outcome is null;
create index follow_up_by_district on dispatch.follow_up (district, follow_up_id);

create table dispatch.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);

-- What residents and screens may show now.
create view dispatch.released_alert as
    select alert_id, short_code, class, content, audience_bitmap, released_at, expires_at,
           coalesce(handed_over_at, released_at) + make_interval(secs => ack_window_s) as ack_by,
           exercise, audience
      from dispatch.alert
     where state in ('dispatching', 'active') and audience_bitmap is not null;
