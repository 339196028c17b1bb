-- Staff, and the keys of source systems. Sessions are not here: they live in the cache.
create schema if not exists identity;

create table identity.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);

create table identity.staff (
    id uuid primary key,
    login text not null unique check (login ~ '^[a-z][a-z0-9._-]{1,63}$'),
    name text not null check (name <> ''),
    role text not null,
    scope text not null,
    password_hash text not null,             -- argon2id, PHC string
    credential_revision bigint not null default 1, -- raised whenever sessions made before must end
    created_at timestamptz not null,
    disabled_at timestamptz
);

create table identity.api_key (
    id uuid primary key,
    token_hash bytea not null unique check (octet_length(token_hash) = 32), -- SHA-256; the key itself is kept nowhere
    unit text not null check (unit <> ''),
    origin text not null,
    area text not null,                      -- city, or a district
    kinds text[] not null check (cardinality(kinds) > 0),
    created_by uuid not null references identity.staff (id),
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at),
    revoked_at timestamptz
);
