-- The in-process bus keeps here what it has taken over from the outboxes and not yet seen handled.
create schema if not exists bus;

create table bus.message (
    id bigint generated always as identity primary key,
    queue text not null,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    -- how often a handler has failed on it
    attempt smallint not null default 0,
    -- wall time, never the moved clock: a failed message waits until then
    not_before timestamptz not null default now(),
    -- set when the handlers have given up; the message stays for people to look at
    dead_reason text
);

create index message_waiting on bus.message (queue, id) where dead_reason is null;
create index message_dead on bus.message (id) where dead_reason is not null;
