-- Data and hash keys, each encrypted under the master key, which is never stored here.
create schema if not exists keys;

create table keys.wrapped_key (
    id smallint primary key check (id > 0),
    use text not null check (use in ('data', 'hash')),
    wrapped bytea not null,
    created_at timestamptz not null default now()
);
