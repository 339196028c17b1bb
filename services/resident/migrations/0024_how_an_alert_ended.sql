-- How an alert ended, kept also where its release has not arrived: who was told of it finds it in the inbox as ended, and never as valid.
alter table resident.stop
    add column state text check (state in ('cancelled', 'superseded', 'closed')),
    add column superseded_by uuid,
    add column reason text;
