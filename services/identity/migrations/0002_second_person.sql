-- Power takes two people: what one administrator proposes and another confirms, and how an account begins.
alter table identity.staff
    alter column password_hash drop not null, -- none until its owner has set one
    add column acts_from timestamptz,         -- before then it may not approve, confirm or send
    add column silenced_at timestamptz;       -- when it last disabled an administrator or officer, or ended their sessions

create table identity.activation (
    staff_id uuid primary key references identity.staff (id),
    code_hash bytea not null check (octet_length(code_hash) = 32), -- SHA-256; the code itself is kept nowhere
    expires_at timestamptz not null
);

-- Which sessions an account has, so that its owner can look at them; what a session is lies in the cache under the same hash.
create table identity.session (
    id uuid primary key,
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    staff_id uuid not null references identity.staff (id),
    began_at timestamptz not null,
    ends_at timestamptz not null
);
create index session_of_staff on identity.session (staff_id);

create table identity.proposal (
    id uuid primary key,
    change jsonb not null,
    stood jsonb,                                             -- how the account stood then; none: there was no account yet
    staff_id uuid references identity.staff (id),            -- whom it is about; of a new account once it is made
    proposed_by uuid references identity.staff (id),         -- none: from the command line
    proposed_at timestamptz not null,
    expires_at timestamptz not null,
    secret_half bytea,                                       -- the proposer's half of a code or key, sealed, until it is decided
    emergency_at timestamptz,
    emergency_reason text,
    alone_from timestamptz,                                  -- from then on the proposer may confirm it, in an emergency
    state text not null default 'waiting',
    decided_by uuid references identity.staff (id),
    decided_at timestamptz,
    constraint emergency_whole check ((emergency_at is null) = (emergency_reason is null) and (emergency_at is null) = (alone_from is null)),
    constraint decided check ((state = 'waiting') = (decided_at is null) and (state = 'waiting' or secret_half is null)),
    constraint two_people check (state <> 'effective' or proposed_by is distinct from decided_by or coalesce(alone_from <= decided_at, false))
);
create index proposal_newest on identity.proposal (proposed_at desc);

-- Keys hold for a year at most; those that were made before stay as they are, and can be revoked.
alter table identity.api_key
    add constraint a_year_at_most check (revoked_at is not null or expires_at <= created_at + interval '366 days') not valid;
