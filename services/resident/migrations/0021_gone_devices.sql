-- A device that its provider says is gone is marked, and deleted only after some days: until then a new registration brings it back.

alter table resident.device add column gone_at timestamptz;
-- On whose way it was found gone: should that alert prove to be wrong about its devices, they come back.
alter table resident.device add column gone_alert uuid;
create index device_gone on resident.device (gone_at) where gone_at is not null;
create index device_gone_by_alert on resident.device (gone_alert) where gone_alert is not null;

-- How many of an alert's devices are said to be gone. A great share is a provider's mistake, or ours: then nothing is marked.
create table resident.gone_of_alert (
    alert_id uuid primary key,
    asked bigint not null,
    gone bigint not null,
    -- since when it is not believed
    doubted_at timestamptz,
    last_at timestamptz not null
);

create or replace view resident.endpoint as
select device.resident_no, device.endpoint_id, device.kind, device.token_sealed as sealed, resident.language, device.registered_at
from resident.device join resident.resident using (resident_no)
where resident.notices and device.gone_at is null
union all
select resident_no, -resident_no::bigint, 'phone', phone_sealed, language, registered_at
from resident.resident
where notices and phone_sealed is not null;

drop function resident.push_endpoints (int, int);
create function resident.push_endpoints(first_no int, last_no int)
returns table (resident_no int, endpoint_id bigint, kind text, sealed bytea, language text, drill boolean, registered_at timestamptz)
language sql stable
as $$
    select device.resident_no, device.endpoint_id, device.kind, device.token_sealed, resident.language, resident.enrolled_drill,
           device.registered_at
      from resident.device join resident.resident on resident.resident_no = device.resident_no
     where device.resident_no between first_no and last_no and resident.resident_no between first_no and last_no and resident.notices
       and device.gone_at is null
     order by device.resident_no
$$;
