-- what was made for the table before it was partitioned by month
alter index resident.acknowledgement_by_resident rename to acknowledgement_default_by_resident;
-- an inbox tells what its owner has acknowledged, with one look a month however many alerts it holds
create index acknowledgement_by_resident on resident.acknowledgement (resident_no) include (alert_id, acknowledged_at);
