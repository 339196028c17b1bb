-- What the public is told of why an alert was taken back: one of the reviewed sentences, by its word. The reason is for colleagues.
alter table review.step add column public_reason text;

-- How an alert was stopped, as others may tell it: no words of whoever stopped it.
create or replace view review.alert_standing as
select alert_id, state, approved_at, changed_at,
       case when state = 'superseded' then
           (select c.alert_id from review.alert c where c.corrects = a.alert_id and c.approved_at is not null order by c.approved_at limit 1)
       end as superseded_by,
       case when state = 'cancelled' then
           (select s.public_reason from review.step s where s.alert_id = a.alert_id and s.action = 'cancel' order by s.version desc limit 1)
       end as stop_reason
from review.alert a
where approved_at is not null;
