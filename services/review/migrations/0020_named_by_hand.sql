-- Alerts that name people by hand, without a record, and why: the auditor reads it.
create table review.named_by_hand (
    alert_id uuid primary key references review.alert,
    people int not null,               -- how many
    justification text,                -- null: none was needed
    named_by uuid not null,            -- staff
    named_at timestamptz not null
);
-- alerts that no rule made, newest first
create index alert_by_hand on review.alert (created_at desc, alert_id desc) where rule_id is null;

-- Published for resident: who had a hand in an alert answers no objection to it.
create view review.had_a_hand as
select alert_id, unnest(array_remove(array[submitter, district_reviewer, city_reviewer] || involved, null)) as staff from review.alert;
