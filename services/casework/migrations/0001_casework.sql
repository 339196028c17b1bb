-- What citizens bring (HL1 to HL5, RP1 to RP5): one row a case, everything that happened to it beside it.
create schema if not exists casework;

create table casework.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);

-- Numbers of a day that are given out, in blocks: what a process that died had left of its block is never used.
create table casework.number_block (
    day date primary key,
    next_block int not null
);

-- Who works on orders, from the city down to the community, each with whoever takes them.
create table casework.unit (
    unit_id int generated always as identity primary key,
    name text not null unique,
    name_en text,
    level text not null check (level in ('city', 'district', 'township', 'community')),
    parent int references casework.unit,
    district int,
    community bigint,
    liaison text not null,
    phone text
);

create table casework.matter (
    number bigint primary key,         -- domain::casework::CaseNumber
    kind text not null,
    channel text not null,
    state text not null,
    urgency text not null,
    grade text not null,
    nature text,
    district int,                      -- null: nobody said where
    community bigint,
    round smallint not null default 1,
    received_at timestamptz not null,
    changed_at timestamptz not null,
    -- optimistic lock: a step names the version it was taken on
    version int not null default 1,
    -- what was said at the beginning, sealed
    facts_sealed bytea not null,
    alert_id uuid,
    -- whoever brought it
    resident_no int,
    name_sealed bytea,
    phone_sealed bytea,
    phone_hash bytea,
    pin_hash bytea not null,
    -- a repeat of the request is the same case
    request_hash bytea not null,
    said_hash bytea not null,
    -- who has had a hand in it
    writer uuid,
    lead int references casework.unit,
    assists int[] not null default '{}',
    refused int[] not null default '{}',
    binding boolean not null default false,
    earlier_units int[] not null default '{}',
    handlers uuid[] not null default '{}',
    author uuid,
    decider uuid,
    second_decider uuid,
    earlier_deciders uuid[] not null default '{}',
    -- what waits for somebody
    paused_days int not null default 0,
    extension_days int,
    extension_at timestamptz,
    extended boolean not null default false,
    merge_into bigint,
    merge_by uuid,
    -- chasing
    chased timestamptz[] not null default '{}',
    raised_at timestamptz,
    -- the result
    result_sealed bytea,
    answer_sealed bytea,
    told_at timestamptz,
    told_by text,
    declined_ground text,
    called_back boolean not null,
    called_at timestamptz,
    -- the earliest of its clocks that run, and how far it is
    due_at timestamptz not null,
    warned smallint not null default 0,
    -- urgent help goes before everything else
    lane smallint not null generated always as (case when kind = 'urgent_help' then 0 else 1 end) stored,
    constraint writer_decides_nothing check (author is distinct from decider or author is null),
    constraint two_decide check (second_decider is null or (second_decider is distinct from decider and second_decider is distinct from author)),
    constraint decided_before_told check (state <> 'told' or decider is not null)
);
create unique index matter_request on casework.matter (request_hash);
-- the lists of the desk and of supervision, in the order in which they are worked on
create index matter_open on casework.matter (lane, due_at, number) where state not in ('closed', 'declined', 'withdrawn', 'merged');
create index matter_open_district on casework.matter (district, lane, due_at, number) where state not in ('closed', 'declined', 'withdrawn', 'merged');
-- everything of a district, newest first
create index matter_district on casework.matter (district, number desc);
-- whose names and numbers are to be forgotten
create index matter_contact on casework.matter (changed_at)
    where state in ('closed', 'declined', 'withdrawn', 'merged') and (phone_hash is not null or name_sealed is not null or resident_no is not null);
-- the earlier cases of a caller, and of a resident
create index matter_caller on casework.matter (phone_hash, received_at desc) where phone_hash is not null;
create index matter_resident on casework.matter (resident_no, received_at desc) where resident_no is not null;

-- Everything that was said after the beginning. Append only: a correction is a new statement.
create table casework.statement (
    number bigint not null references casework.matter,
    n int not null,
    at timestamptz not null,
    by text not null check (by in ('citizen', 'operator', 'unit', 'supervisor')),
    who uuid,
    who_name text,
    unit int references casework.unit,
    event text not null,
    text_sealed bytea not null,
    visible boolean not null,          -- whether the citizen reads it
    primary key (number, n)
);

-- One unit's part of a case.
create table casework.work_order (
    order_id bigint generated always as identity primary key,
    number bigint not null references casework.matter,
    round smallint not null,
    unit int not null references casework.unit,
    part text not null check (part in ('lead', 'assist')),
    task_sealed bytea,
    binding boolean not null default false,
    made_at timestamptz not null,
    signed_at timestamptz,
    progress_at timestamptz,
    done_at timestamptz,
    refused_at timestamptz,
    ground_sealed bytea,
    proposal int references casework.unit,
    ended_at timestamptz
);
create index work_order_case on casework.work_order (number, order_id);
-- a unit's inbox
create index work_order_open on casework.work_order (unit, number) where ended_at is null;
create index work_order_unit on casework.work_order (unit, number);

-- One promise; what it was and what moved its end is never counted anew.
create table casework.clock (
    number bigint not null references casework.matter,
    n int not null,
    round smallint not null,
    promise text not null,
    started_at timestamptz not null,
    counts_from timestamptz not null,
    working_days int,
    due_at timestamptz not null,
    due_day date,
    provisional boolean not null,
    pauses jsonb not null,
    extended_days int not null default 0,
    changes jsonb not null,
    stopped_at timestamptz,
    warned smallint not null default 0,
    -- when somebody is to be warned next, or its time is over
    next_at timestamptz,
    primary key (number, n)
);
-- what was due before the holidays of its year were announced
create index clock_provisional on casework.clock (due_day) where stopped_at is null and provisional;
create index clock_next on casework.clock (next_at) where stopped_at is null and next_at is not null;

-- Everything that happened to a case, who did it and as what.
create table casework.step (
    number bigint not null references casework.matter,
    n int not null,
    at timestamptz not null,
    event text not null,
    from_state text not null,
    to_state text not null,
    actor uuid,                        -- null: the citizen, or the platform
    actor_name text,
    role text,
    unit int,
    statement int,
    primary key (number, n)
);

create table casework.link (
    number bigint not null references casework.matter,
    kind text not null check (kind in ('merged_into', 'merged_from')),
    other bigint not null references casework.matter,
    at timestamptz not null,
    primary key (number, kind, other)
);
