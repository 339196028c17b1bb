-- Browsers that are told by Web Push: a kind of device beside the phones' own.

-- The one before was narrower, so every row fulfils this one already.
alter table resident.device drop constraint device_kind_check;
alter table resident.device
    add constraint device_kind_check check (kind in ('apns', 'fcm_token', 'fcm_fid', 'web_push')) not valid;

-- Kept beside resident.device like has_apns and has_fcm. A constant default: no row is written anew, neither here nor below.
alter table resident.resident add column has_web boolean not null default false;
alter table resident.headcount add column web boolean not null default false;

create function resident.ways (phone_sealed bytea, notices boolean, has_apns boolean, has_fcm boolean, has_web boolean, enrolled_drill boolean)
returns table (apns boolean, fcm boolean, web boolean, sms boolean, drill boolean)
language sql immutable parallel safe
as $$
    select notices and has_apns, notices and has_fcm, notices and has_web, notices, enrolled_drill
    where phone_sealed is not null
$$;

create or replace view resident.reach as
select resident_no, district, township, community, industry, language, apns or fcm or web as app, sms, drill, apns, fcm, web
from resident.resident, resident.ways(phone_sealed, notices, has_apns, has_fcm, has_web, enrolled_drill);

create or replace function resident.count_people () returns trigger
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        insert into resident.headcount (community, industry, language, apns, fcm, web, sms, drill, people)
        select community, industry, language, apns, fcm, web, sms, drill, count(*)
        from came, resident.ways(phone_sealed, notices, has_apns, has_fcm, has_web, enrolled_drill)
        group by 1, 2, 3, 4, 5, 6, 7, 8;
    elsif tg_op = 'DELETE' then
        insert into resident.headcount (community, industry, language, apns, fcm, web, sms, drill, people)
        select community, industry, language, apns, fcm, web, sms, drill, -count(*)
        from went, resident.ways(phone_sealed, notices, has_apns, has_fcm, has_web, enrolled_drill)
        group by 1, 2, 3, 4, 5, 6, 7, 8;
    elsif tg_op = 'TRUNCATE' then
        delete from resident.headcount;
        update resident.headcount_fold set fold = fold + 2;
    else
        insert into resident.headcount (community, industry, language, apns, fcm, web, sms, drill, people)
        select community, industry, language, apns, fcm, web, sms, drill, sum(people)
        from (select *, 1 as people from came union all select *, -1 from went) as moved,
            resident.ways(phone_sealed, notices, has_apns, has_fcm, has_web, enrolled_drill)
        group by 1, 2, 3, 4, 5, 6, 7, 8
        having sum(people) <> 0;
    end if;
    return null;
end
$$;

drop function resident.ways (bytea, boolean, boolean, boolean, boolean);
