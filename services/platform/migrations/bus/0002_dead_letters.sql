-- Dead letters, of this bus and of RabbitMQ, stand in bus.message with the reason until an operator has them delivered again.
alter table bus.message add column died_at timestamptz;
update bus.message set died_at = not_before where dead_reason is not null;

-- What is tried again and again and does not succeed.
create index message_stuck on bus.message (id) where dead_reason is null and attempt >= 8;

-- That an operator had one delivered again is told to the trace.
create table bus.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);
