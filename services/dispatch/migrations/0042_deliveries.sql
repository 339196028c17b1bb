-- deliveries, the newest first: of everywhere, of a district
create index alert_newest on dispatch.alert (approved_at desc, alert_id desc);
create index alert_newest_of_district on dispatch.alert (district, approved_at desc, alert_id desc);
