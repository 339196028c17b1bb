-- For the pages: what a reviewer marked and checked, what a version said, what changed lately, whom an alert is for before it is approved.

alter table review.step
    add column passage jsonb,                          -- review: the passage that a reason is about
    add column checked text[] not null default '{}',   -- what of the checklist was ticked
    add column content jsonb;                          -- what the alert said from this version on, where the step changed that

-- what changed since a page last looked
create index step_by_time on review.step (at);

-- Published for dispatch: whom an alert is for, also before its approval (its size is part of what is reviewed).
create view review.alert_audience as
select alert_id, district, audience, content ->> 'status' = 'exercise' as exercise from review.alert;
