-- Who had a hand in an alert beside its submitter and its reviewers: wrote an earlier version of it or the rule that made it, or delivered a
-- record behind it. They review nothing of it.
alter table review.alert add column involved uuid[] not null default '{}';
update review.alert a set involved = array(
    select distinct actor from review.step s
     where s.alert_id = a.alert_id and actor is not null and actor <> a.submitter and action in ('write', 'edit', 'correct', 'submit', 'compose_urgent'))
where state in ('draft', 'district_review', 'city_review', 'awaiting_confirmation');

-- For whom an alert is may be asked before it is approved by those who see its draft.
create or replace view review.alert_audience as
select alert_id, district, audience, content ->> 'status' = 'exercise' as exercise, approved_at is not null as approved from review.alert;
