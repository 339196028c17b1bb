-- What was approved is what leaves: digests of what the approver had before them (domain::approval_seal). Alerts that were approved before have none.
alter table review.alert add column seal jsonb;

create or replace view review.approved_alert as
select alert_id, short_code, class, content, audience, approved_at, district, corrects,
       content ->> 'status' = 'exercise' as exercise, for_holders, seal
from review.alert
where approved_at is not null;
