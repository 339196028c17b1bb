-- Whom drafts gathered that nobody decided about in time. What lapsed before anybody looked stays as it was: it is history, not news.
delete from rules.alerted where lapses_at <= now();
create index alerted_by_lapse on rules.alerted (lapses_at) where lapses_at is not null;
