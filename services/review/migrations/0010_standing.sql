-- Published for those who compare what they have heard with what is so: where every approved alert stands, and how it was stopped.
create view review.alert_standing as
select alert_id, state, approved_at, changed_at,
       case when state = 'superseded' then
           (select c.alert_id from review.alert c where c.corrects = a.alert_id and c.approved_at is not null order by c.approved_at limit 1)
       end as superseded_by,
       case when state = 'cancelled' then
           (select s.reason from review.step s where s.alert_id = a.alert_id and s.action = 'cancel' order by s.version desc limit 1)
       end as stop_reason
from review.alert a
where approved_at is not null;

create index alert_correction on review.alert (corrects) where corrects is not null;
