-- What people write back by SMS is kept for a person to read, beside what is said in the app: sealed, with or without an alert that it is about.
-- Who is in need is read first. Of who is not registered there is the number alone, sealed, so that they can be answered.
alter table resident.feedback
    alter column resident_no drop not null,
    alter column alert_id drop not null,
    alter column district drop not null,
    alter column community drop not null,
    add column by text not null default 'app' check (by in ('app', 'sms')),
    add column urgent boolean not null default false,
    add column phone_sealed bytea,
    add constraint feedback_of_somebody check ((resident_no is null) = (phone_sealed is not null)),
    add constraint feedback_in_the_app_is_about_an_alert check (by = 'sms' or (resident_no is not null and alert_id is not null)),
    add constraint feedback_lies_where_its_author_lives
        check ((resident_no is null) = (district is null) and (district is null) = (community is null));
-- what waits for an answer, who is in need first
create index feedback_waiting on resident.feedback ((not urgent), feedback_id) where answered_at is null;
-- what goes after its time
create index feedback_of_strangers on resident.feedback (at) where resident_no is null;
create index reply_by_time on resident.reply (received_at);
