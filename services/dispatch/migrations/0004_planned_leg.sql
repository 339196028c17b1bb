-- People selected by traits are planned leg by leg (domain::audience, AudienceQuery::legs), each in the order of its index.
alter table dispatch.wave add column planned_leg integer not null default 0 check (planned_leg >= 0);
