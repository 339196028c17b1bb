-- Which of the audiences that dispatch published one after the other an alert has here.
alter table resident.alert add column audience_revision integer not null default 0;

-- What may have ended without an event that told.
create index alert_live on resident.alert (alert_id) where state = 'live';
