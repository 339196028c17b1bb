-- Sign-ins end: by themselves, by their owner, or because the phone number went to somebody else. An ended one stays for a while, so that its
-- device can be told why, and because it tells when the person was last heard of.
alter table resident.session
    add column device text,        -- what kind of device it is, in a word
    add column ended_at timestamptz,
    add column ended_because text check (ended_because in ('signed_out', 'number_changed_hands')),
    -- From when its silence and its longest time count. Before this, only signing in was noted as use: whoever is signed in has all their time from
    -- now on. The default is worked out once, so no row is written anew; sign-ins after this name their own.
    add column counts_from timestamptz not null default now();
-- sign-ins that are long over are let go of
create index session_by_use on resident.session (greatest(last_used_at, counts_from));

-- From when a person's silence counts: the same for whoever is registered, signed in or not.
alter table resident.resident add column silence_from timestamptz not null default now();
-- what a person wrote last tells when they were heard of
create index reply_by_resident on resident.reply (resident_no, received_at) where resident_no is not null;

-- From which sign-in a device was registered for alerts: it hears nothing more when that ends.
alter table resident.device add column session_hash bytea;
create index device_by_session on resident.device (session_hash) where session_hash is not null;

-- A change to a new phone number by who has lost the old one: proved with a code to the new number, it waits for a check in person.
create table resident.number_change (
    resident_no int primary key references resident.resident on delete cascade,
    phone_hash bytea not null check (length(phone_hash) = 32),
    phone_sealed bytea not null,
    asked_at timestamptz not null
);
create index number_change_by_time on resident.number_change (asked_at);
