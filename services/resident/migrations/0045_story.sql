-- Published for review, which tells an alert's whole story: numbers, neither persons nor their words.
create view resident.acknowledged_story as
select alert_id, date_trunc('hour', acknowledged_at) as hour, count(*) as people, min(acknowledged_at) as first_at, max(acknowledged_at) as last_at
  from resident.acknowledgement group by alert_id, date_trunc('hour', acknowledged_at);

create view resident.feedback_story as
select alert_id, kind, count(*) as times, min(at) as first_at, max(at) as last_at
  from resident.feedback where alert_id is not null group by alert_id, kind;
