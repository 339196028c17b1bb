-- What every process needs to know who calls it: no password, no secret of a second factor, no hash of a key. A process that does not serve
-- identity reads these and nothing else of identity's.

-- An account as a session of it finds it, and how it is shown.
create view identity.account_in_session as
    select s.id, s.login, s.name, s.role, s.scope, s.credential_revision, s.created_at, s.disabled_at, s.acts_from,
           s.password_hash is null as awaits_owner,
           exists (select from identity.factor f where f.staff_id = s.id) as has_factor,
           case when s.from_before then (select began_at + make_interval(days => days) from identity.second_factor_grace) end as enrol_by
      from identity.staff s;

-- The keys of sources. Who asks has the hash of the one that was presented.
create view identity.presented_key as
    select token_hash, id, unit, origin, area, kinds, asks, created_by, created_at, expires_at, revoked_at from identity.api_key;
