-- Records found again: by their number, which grows as they come, so one that came at a time is found by halves.
create index record_by_number on ingest.record (record_id);

-- The number of the first record that came at a time or later: some thirty looks into the index among fifty million.
create function ingest.first_record_since(moment timestamptz) returns bigint
language sql stable as $$
    with recursive search (low, high) as (
        select 1::bigint, (select coalesce(max(record_id), 0) + 1 from ingest.record)
        union all
        select case when found.received_at < moment then found.record_id + 1 else low end,
               case when found.received_at < moment then high else (low + high) / 2 end
          from search
         cross join lateral (select record_id, received_at from ingest.record where record_id >= (low + high) / 2 order by record_id limit 1) as found
         where low < high
    )
    select max(low) from search
$$;

-- Who has ever delivered, source after source by the index of records.
create view ingest.known_source as
with recursive known (source) as (
    (select source from ingest.record order by source limit 1)
    union all
    select (select r.source from ingest.record r where r.source > known.source order by r.source limit 1) from known where known.source is not null
)
select source from known where source is not null;
