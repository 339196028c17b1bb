-- By which records who came into an alert, and which came about them while their rule told them nothing anew: what they did before does not free them.
create or replace view rules.named as
select match.draft_id as alert_id, match.resident_no, match.record_id, match.kind, match.source, match.occurred_at,
       match.attributes ->> 'place' as place, match.ended_at
  from rules.match where match.resident_no is not null
union all
select alerted.draft_id, cooled.resident_no, cooled.record_id, cooled.kind, cooled.source, cooled.occurred_at,
       null::text, null::timestamptz
  from rules.alerted join rules.cooled using (rule_id, resident_no)
 where alerted.draft_id is not null and cooled.cooled_at >= alerted.alerted_at
   and not exists (select from rules.match m where m.draft_id = alerted.draft_id and m.record_id = cooled.record_id);
