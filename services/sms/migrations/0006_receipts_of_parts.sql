-- One receipt may be about all parts of a message: so many, where the centre says so.
alter table sms.receipt add column covers smallint not null default 1;

-- Of a message in parts, how many are on the handset: where the receipts of the others stay out it is shown as "1 of 3".
create or replace view sms.message as
select alert_id, batch_id, resident_no, parts, detail, submitted_at, settled_at,
       case when delivered is null then 'submitted' when delivered then 'delivered' else 'undeliverable' end as state,
       (delivered is true)::int::bigint as arrived
  from sms.part where parts = 1
union all
select alert_id, batch_id, resident_no, max(parts), min(detail), max(submitted_at), max(settled_at),
       case when bool_or(not delivered) then 'undeliverable' when bool_and(delivered is true) then 'delivered' else 'submitted' end,
       count(*) filter (where delivered)
  from sms.part where parts > 1 group by alert_id, batch_id, resident_no;
