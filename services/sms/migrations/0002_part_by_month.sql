-- One row for each part of a message, found by the centre's id of it: a receipt is about a part. A part is written once and
-- settled once, in place: nothing that is indexed changes. By month of the alert, like dispatch's ledger: an alert's id begins
-- with the time at which it was made (UUID version 7), and old months are dropped whole (platform::database::Monthly).
create table sms.part (
    alert_id uuid not null,
    batch_id bigint not null,
    resident_no bigint not null,
    submitted_at timestamptz not null,
    settled_at timestamptz,
    part smallint not null check (part > 0),
    parts smallint not null check (parts >= part),
    delivered boolean,                      -- null: no final receipt yet
    smsc_id text not null,                  -- the centre's id
    detail text,                            -- the centre's word and code for a failure
    primary key (alert_id, batch_id, resident_no, part)
) partition by range (alert_id);
create index part_smsc_id on sms.part (smsc_id);
-- No month is ever refused for want of a table of its own. There is room for each part to be settled on its page.
create table sms.part_default partition of sms.part default with (fillfactor = 80);

insert into sms.part (alert_id, batch_id, resident_no, submitted_at, settled_at, part, parts, delivered, smsc_id, detail)
select m.alert_id, m.batch_id, m.resident_no, m.submitted_at, m.settled_at, id.part, m.parts,
       case m.state when 'delivered' then true when 'undeliverable' then false end, id.smsc_id,
       case m.state when 'undeliverable' then m.detail end
  from sms.message m cross join unnest(m.smsc_ids) with ordinality as id (smsc_id, part)
 where id.part <= m.parts;
drop table sms.message;

-- A message is delivered when all its parts are, and undeliverable as soon as one is. Most have one part: those need no grouping.
create view sms.message as
select alert_id, batch_id, resident_no, parts, detail, submitted_at, settled_at,
       case when delivered is null then 'submitted' when delivered then 'delivered' else 'undeliverable' end as state
  from sms.part where parts = 1
union all
select alert_id, batch_id, resident_no, max(parts), min(detail), max(submitted_at), max(settled_at),
       case when bool_or(not delivered) then 'undeliverable' when bool_and(delivered is true) then 'delivered' else 'submitted' end
  from sms.part where parts > 1 group by alert_id, batch_id, resident_no;

-- What has overtaken its part waits here for a moment: few, and each costs less without the index.
drop index sms.receipt_received;
