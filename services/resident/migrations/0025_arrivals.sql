-- Who may belong to an audience since a moment ago: came, moved, gave consent again, changed what an audience asks about. Written by the statement
-- that changes a person, whichever part of the platform makes it, so none can be forgotten; those of one statement are one row, so that a
-- mass of people costs little. `tx` says since when, as in resident.headcount: what is older than the oldest transaction that still runs is
-- settled, so whoever reads on from there misses nobody.
create table resident.arrival (
    tx xid8 not null default pg_current_xact_id(),
    numbers int4multirange not null,
    at timestamptz not null default now()
);
create index arrival_by_tx on resident.arrival (tx);

create function resident.note_arrivals () returns trigger
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        insert into resident.arrival (numbers)
        select range_agg(int4range(resident_no, resident_no, '[]')) from came
        where notices and phone_sealed is not null
        having count(*) > 0;
    else
        insert into resident.arrival (numbers)
        select range_agg(int4range(came.resident_no, came.resident_no, '[]')) from came join went using (resident_no)
        where came.notices and came.phone_sealed is not null
          and (came.district, came.township, came.community, came.industry, came.language, came.notices, came.enrolled_drill, false)
              is distinct from
              (went.district, went.township, went.community, went.industry, went.language, went.notices, went.enrolled_drill, went.phone_sealed is null)
        having count(*) > 0;
    end if;
    return null;
end
$$;
create trigger people_arrive after insert on resident.resident
    referencing new table as came for each statement execute function resident.note_arrivals();
create trigger people_move after update on resident.resident
    referencing old table as went new table as came for each statement execute function resident.note_arrivals();

-- Published for other services: who may belong to an audience since transaction `tx`, from first_no to last_no (dispatch tells them what stands).
create view resident.arrived as
select tx, lower(span) as first_no, upper(span) - 1 as last_no, at from resident.arrival, unnest(numbers) as span;

-- Whether dispatch still adds to whom an alert is for: who is not in its audience here may be in the ledger there.
alter table resident.alert add column growing boolean not null default false;
