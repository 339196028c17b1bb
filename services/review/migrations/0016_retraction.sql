-- One person stops an alert; two say what is true of it instead (domain::retraction).
alter table review.alert
    add column held_at timestamptz, -- since when nothing more of it is sent, until it is known whether it holds
    add column held_by uuid,
    -- a correction that two people have made: for exactly those who have what it corrects, approved by who asked for it and who confirmed it
    add column for_holders boolean not null default false;

alter table review.alert drop constraint reviewed;
alter table review.alert add constraint reviewed check (
    approved_at is null
    or for_holders and corrects is not null and city_reviewer is not null
    or (class = 'routine' and district_reviewer is not null and city_reviewer is not null)
    or (class = 'urgent' and city_reviewer is not null)
);

drop index review.alert_short_code;
create unique index alert_short_code on review.alert (short_code)
    where state not in ('closed', 'refused', 'cancelled', 'superseded', 'all_clear');

create table review.retraction (
    retraction_id uuid primary key,
    alert_id uuid not null references review.alert,
    kind text not null check (kind in ('withdraw', 'all_clear', 'correct')),
    public_reason text,            -- domain::public_reason::PublicReason
    reason text not null,          -- for colleagues
    texts jsonb not null,          -- by language, as both people saw them: what leaves
    content jsonb,                 -- of a correction: domain::alert::AlertContent
    by_stop boolean not null,      -- asked for by whoever stopped the alert, in the same action
    asked_by uuid not null,
    asked_role text not null,
    asked_at timestamptz not null,
    progress text not null default 'asked', -- domain::retraction::Progress
    decided_by uuid,               -- null: nobody, the alert ended in another way
    decided_reason text,
    decided_at timestamptz,
    correction uuid references review.alert,
    constraint decided check ((progress = 'asked') = (decided_at is null)),
    constraint by_two check (progress <> 'confirmed' or decided_by is not null and decided_by <> asked_by),
    constraint correction_says_something check ((kind = 'correct') = (content is not null))
);
-- one at a time for an alert; what waits for a second person
create unique index retraction_waiting on review.retraction (alert_id) where progress = 'asked';
-- all there ever were for an alert, its last word among them
create index retraction_of_alert on review.retraction (alert_id, asked_at);

-- What is over is ended for those who show it as what was cancelled is, with its own reason and words.
create or replace view review.alert_standing as
select alert_id, case state when 'all_clear' then 'cancelled' else state end as state, approved_at, changed_at,
       case when state = 'superseded' then
           (select c.alert_id from review.alert c where c.corrects = a.alert_id and c.approved_at is not null order by c.approved_at limit 1)
       end as superseded_by,
       case when state = 'all_clear' then 'over'
            when state = 'cancelled' then
           (select s.public_reason from review.step s where s.alert_id = a.alert_id and s.action in ('cancel', 'confirm_withdraw')
             order by s.version desc limit 1)
       end as stop_reason,
       case when state in ('approved', 'dispatching', 'active') then held_at end as held_at,
       case when state in ('cancelled', 'all_clear') then
           (select r.texts from review.retraction r where r.alert_id = a.alert_id and r.progress = 'confirmed' and r.kind <> 'correct')
       end as last_word
from review.alert a
where approved_at is not null;

create or replace view review.approved_alert as
select alert_id, short_code, class, content, audience, approved_at, district, corrects,
       content ->> 'status' = 'exercise' as exercise, for_holders
from review.alert
where approved_at is not null;
