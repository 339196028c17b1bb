-- A data key opens from the moment it is there, and seals from `seals_from` on: by then every process knows it.
alter table keys.wrapped_key
    add column seals_from timestamptz not null default now(),
    -- the same key under the master key that takes the other's place
    add column wrapped_anew bytea,
    -- nothing is sealed with it any more, and it is gone; its number is never given again
    add column retired_at timestamptz,
    add check (retired_at is null or wrapped = '' and wrapped_anew is null);
