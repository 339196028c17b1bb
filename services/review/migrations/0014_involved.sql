-- Who had a hand in an alert beside its submitter and its reviewers: wrote an earlier version of it or the rule that made it, or delivered a
-- record behind it. They review nothing of it.
alter table review.alert add column involved uuid[] not null default '{}';
