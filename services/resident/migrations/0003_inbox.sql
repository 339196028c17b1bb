-- an inbox tells what its owner has acknowledged, with one look however many alerts it holds
create index acknowledgement_by_resident on resident.acknowledgement (resident_no) include (alert_id, acknowledged_at);
