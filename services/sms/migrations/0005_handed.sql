-- Which alerts a person was handed by SMS, and when: a reply without a code is about one of these (resident reads it).
create index part_of_resident on sms.part (resident_no, alert_id) where part = 1;
create view sms.handed as
select resident_no, alert_id, submitted_at as at from sms.part where part = 1;
