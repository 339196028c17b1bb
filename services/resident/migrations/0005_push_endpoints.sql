-- The devices of a stretch of residents (push loads a batch by it where the batch is dense). Both sides are bounded, so that
-- they are read in the order of their numbers and merged: half the work of looking up each resident by itself.
create function resident.push_endpoints(first_no int, last_no int)
returns table (resident_no int, endpoint_id bigint, kind text, sealed bytea, language text, drill boolean)
language sql stable
as $$
    select device.resident_no, device.endpoint_id, device.kind, device.token_sealed, resident.language, resident.enrolled_drill
      from resident.device join resident.resident on resident.resident_no = device.resident_no
     where device.resident_no between first_no and last_no and resident.resident_no between first_no and last_no and resident.notices
     order by device.resident_no
$$;
