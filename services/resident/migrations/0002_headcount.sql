-- The size of any audience: people are counted by what an audience can ask about, in the transaction that changes them.

-- Which kinds of device a person has, kept beside resident.device like has_app before, so that it is known which provider
-- reaches whom. The indexes are made anew after so many rows have changed: that takes half the time.
drop index resident.resident_by_phone, resident.resident_by_identity, resident.resident_by_community, resident.resident_by_township,
    resident.resident_by_district;
alter table resident.resident
    add column has_apns boolean not null default false,
    add column has_fcm boolean not null default false;
update resident.resident
set has_apns = device.apns, has_fcm = device.fcm
from (select resident_no, bool_or(kind = 'apns') as apns, bool_or(kind <> 'apns') as fcm from resident.device group by resident_no) as device
where resident.resident_no = device.resident_no;
-- registration and SMS replies find a person by the keyed hash of the phone
create unique index resident_by_phone on resident.resident (phone_hash);
-- risk records name people by the keyed hash of the identity number
create unique index resident_by_identity on resident.resident (identity_hash) where identity_hash is not null;
-- audiences by area
create index resident_by_community on resident.resident (community, resident_no);
create index resident_by_township on resident.resident (township, resident_no);
create index resident_by_district on resident.resident (district, resident_no);

-- By which ways a person is reached; no row for one who had everything deleted. Consent taken back leaves the person without any:
-- somebody whom a record names is not lost, a person follows up.
create function resident.ways (phone_sealed bytea, notices boolean, has_apns boolean, has_fcm boolean, enrolled_drill boolean)
returns table (apns boolean, fcm boolean, sms boolean, drill boolean)
language sql immutable parallel safe
as $$
    select notices and has_apns, notices and has_fcm, notices, enrolled_drill
    where phone_sealed is not null
$$;

create or replace view resident.reach as
select resident_no, district, township, community, industry, language, apns or fcm as app, sms, drill, apns, fcm
from resident.resident, resident.ways(phone_sealed, notices, has_apns, has_fcm, enrolled_drill);

alter table resident.resident drop column has_app;

-- People by what an audience can ask about and by how they are reached. Rows are only ever added, with the difference that a statement
-- made; the people of a cell are the sum of its rows. `tx` says since when: what was written before the oldest transaction that still runs
-- is settled, so a process that has summed it up once only asks for what came later.
create table resident.headcount (
    community bigint not null,
    industry text,
    language text not null,
    apns boolean not null,
    fcm boolean not null,
    sms boolean not null,
    drill boolean not null,
    people int not null,
    tx xid8 not null default pg_current_xact_id()
);
-- what a process has not summed up yet
create index headcount_by_tx on resident.headcount (tx);

-- The folds: rows older than `folded_to` have become one row a cell, older than everything (tx 0). Whoever had not summed all of them up
-- begins anew. The next fold takes what is older than `next_to`.
create table resident.headcount_fold (
    single boolean primary key default true check (single),
    fold bigint not null default 0,
    folded_to xid8 not null default '0',
    next_to xid8 not null default '0'
);
insert into resident.headcount_fold default values;

create function resident.count_people () returns trigger
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        insert into resident.headcount (community, industry, language, apns, fcm, sms, drill, people)
        select community, industry, language, apns, fcm, sms, drill, count(*)
        from came, resident.ways(phone_sealed, notices, has_apns, has_fcm, enrolled_drill)
        group by 1, 2, 3, 4, 5, 6, 7;
    elsif tg_op = 'DELETE' then
        insert into resident.headcount (community, industry, language, apns, fcm, sms, drill, people)
        select community, industry, language, apns, fcm, sms, drill, -count(*)
        from went, resident.ways(phone_sealed, notices, has_apns, has_fcm, enrolled_drill)
        group by 1, 2, 3, 4, 5, 6, 7;
    elsif tg_op = 'TRUNCATE' then
        delete from resident.headcount;
        update resident.headcount_fold set fold = fold + 2;
    else
        insert into resident.headcount (community, industry, language, apns, fcm, sms, drill, people)
        select community, industry, language, apns, fcm, sms, drill, sum(people)
        from (select *, 1 as people from came union all select *, -1 from went) as moved,
            resident.ways(phone_sealed, notices, has_apns, has_fcm, enrolled_drill)
        group by 1, 2, 3, 4, 5, 6, 7
        having sum(people) <> 0;
    end if;
    return null;
end
$$;
create trigger people_come after insert on resident.resident
    referencing new table as came for each statement execute function resident.count_people();
create trigger people_change after update on resident.resident
    referencing old table as went new table as came for each statement execute function resident.count_people();
create trigger people_go after delete on resident.resident
    referencing old table as went for each statement execute function resident.count_people();
create trigger nobody_is_left after truncate on resident.resident
    for each statement execute function resident.count_people();

-- who is there already
insert into resident.headcount (community, industry, language, apns, fcm, sms, drill, people, tx)
select community, industry, language, apns, fcm, sms, drill, count(*), '0'
from resident.reach
group by 1, 2, 3, 4, 5, 6, 7;
analyze resident.headcount;
