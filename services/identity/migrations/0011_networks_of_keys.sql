-- A key may be good from some networks only: addresses and blocks of them (CIDR). None: it is good from everywhere, as those from before are.
alter table identity.api_key add column networks text[] not null default '{}';

create or replace view identity.presented_key as
    select token_hash, id, unit, origin, area, kinds, asks, created_by, created_at, expires_at, revoked_at, networks from identity.api_key;
