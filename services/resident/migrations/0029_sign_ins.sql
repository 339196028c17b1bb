-- Sign-ins end: by themselves, by their owner, or because the phone number went to somebody else. An ended one stays for a while, so that its
-- device can be told why, and because it tells when the person was last heard of.
alter table resident.session
    add column device text,        -- what kind of device it is, in a word
    add column ended_at timestamptz,
    add column ended_because text check (ended_because in ('signed_out', 'number_changed_hands'));

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
