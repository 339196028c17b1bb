-- whom drafts gathered that nobody decided about in time
create index alerted_by_lapse on rules.alerted (lapses_at) where lapses_at is not null;
