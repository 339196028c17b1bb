-- What staff have beside their password, what gets them back in without it, and the devices that have shown it before.
create table identity.factor (
    id uuid primary key,
    staff_id uuid not null references identity.staff (id),
    kind text not null check (kind in ('totp', 'passkey', 'demo')),
    name text not null check (name <> ''),
    sealed bytea not null,                   -- whose it is and the secret, code or public key: one person's is not another's
    last_step bigint,                        -- of an authenticator app: the last step that was used, each once
    credential_id bytea unique,              -- of a passkey
    credential_state bytea,                  -- of a passkey: its signature counter and flags
    created_at timestamptz not null,
    last_used_at timestamptz,
    constraint of_its_kind check ((kind = 'passkey') = (credential_id is not null) and (kind = 'passkey') = (credential_state is not null)
                                  and (kind = 'totp' or last_step is null))
);
create index factor_of_staff on identity.factor (staff_id);

create table identity.recovery_code (
    staff_id uuid not null references identity.staff (id),
    code_hash bytea not null check (octet_length(code_hash) = 32), -- keyed; the code itself is kept nowhere, and a used one is gone
    primary key (staff_id, code_hash)
);

-- Browsers in which somebody has signed in with both factors: they get their turn at the door whoever else knocks. A console of a duty room has
-- one token, and a row for each who signs in there.
create table identity.known_device (
    token_hash bytea not null check (octet_length(token_hash) = 32), -- SHA-256; the token itself is kept nowhere
    staff_id uuid not null references identity.staff (id),
    since timestamptz not null,
    used_at timestamptz not null,
    primary key (token_hash, staff_id)
);
create index known_device_of_staff on identity.known_device (staff_id, used_at desc);

-- Networks from which somebody has signed in with both factors: what strangers do in their name elsewhere does not concern them there.
create table identity.known_network (
    staff_id uuid not null references identity.staff (id),
    network text not null,                   -- the widest class that one customer has to themselves
    used_at timestamptz not null,
    primary key (staff_id, network)
);

-- Accounts from before there were second factors work as they did for a while, in which their owners enrol one.
create table identity.second_factor_grace (
    only_one boolean primary key default true check (only_one),
    began_at timestamptz not null default now(),
    days integer not null check (days >= 0)  -- as the operator has set it; written at each start
);
insert into identity.second_factor_grace (days) values (14);
alter table identity.staff add column from_before boolean not null default false;
update identity.staff set from_before = true;
