-- Since when an alert is being checked that was stopped: inboxes say so beside it.
alter table resident.alert add column checked_since timestamptz;
