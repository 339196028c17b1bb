-- Acknowledgements by the month of their alert, so that old ones are dropped a month at a time (platform::database::Monthly,
-- which makes the months' partitions and brings what is here already to them).

alter table resident.acknowledgement rename to acknowledgement_default;
alter table resident.acknowledgement_default rename constraint acknowledgement_pkey to acknowledgement_default_pkey;

-- Once per person and alert (CQ11).
create table resident.acknowledgement (
    alert_id uuid not null, -- UUIDv7: a month is a range of them
    resident_no int not null,
    acknowledged_at timestamptz not null,
    by text not null constraint acknowledgement_by_check check (by in ('app', 'sms')),
    primary key (alert_id, resident_no)
) partition by range (alert_id);
alter table resident.acknowledgement attach partition resident.acknowledgement_default default;

-- Who has acknowledged what (dispatch reminds the others).
create or replace view resident.acknowledged as
select alert_id, resident_no, acknowledged_at as at, by from resident.acknowledgement;
