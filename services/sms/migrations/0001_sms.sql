-- What was handed to the SMS centre, what it said of it later, and who replied.
create schema if not exists sms;

-- One row per message, however many parts it has: written when the centre has taken all of it.
create table sms.message (
    batch_id bigint not null,
    resident_no bigint not null,
    alert_id uuid not null,
    parts smallint not null check (parts > 0),
    -- the centre's ids of the parts, in order
    smsc_ids text[] not null,
    phone_hash bytea not null check (octet_length(phone_hash) = 32),
    state text not null default 'submitted' check (state in ('submitted', 'delivered', 'undeliverable')),
    -- the centre's word and code for a failure
    detail text,
    submitted_at timestamptz not null,
    settled_at timestamptz,
    primary key (batch_id, resident_no)
);

-- Receipts come by part id.
create index message_smsc_ids on sms.message using gin (smsc_ids) where state = 'submitted';
-- Counts per alert.
create index message_alert on sms.message (alert_id, state) include (parts);

-- Receipts that wait: for their message's row (they may overtake it), or for the receipts of its other parts.
create table sms.receipt (
    smsc_id text primary key,
    delivered boolean not null,
    detail text not null,
    received_at timestamptz not null
);
create index receipt_received on sms.receipt (received_at);

-- Replies that were passed on: each once, however often the centre delivers it. The text is in the event, sealed.
create table sms.reply (
    message_ref text primary key,
    received_at timestamptz not null
);
create index reply_received on sms.reply (received_at);

create table sms.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);
