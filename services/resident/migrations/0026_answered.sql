-- What people write back about an alert is an answer, in the app and by SMS: dispatch neither reminds them as silent nor has them visited as such.
create index feedback_by_author on resident.feedback (alert_id, resident_no) include (answered_at) where alert_id is not null and resident_no is not null;

-- Published for dispatch: who wrote back about which alert, and whether staff have answered. Their words are not shown.
create view resident.wrote_back as
select alert_id, resident_no, at, urgent, answered_at is not null as read
  from resident.feedback where alert_id is not null and resident_no is not null;

-- Published for dispatch: who has answered an alert, by acknowledging it or in words; more than once where they did both.
create view resident.answered as
select alert_id, resident_no from resident.acknowledgement
union all
select alert_id, resident_no from resident.feedback where alert_id is not null and resident_no is not null;
