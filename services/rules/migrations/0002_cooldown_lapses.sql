-- A cooldown stands on a draft: it lapses when the draft comes to nothing, or when its validity ends before anybody approved it.
alter table rules.alerted
    add column draft_id uuid,        -- the draft that gathered them; none where an older version of the platform did
    add column lapses_at timestamptz; -- none: they were told
-- whom a settled draft gathered
create index alerted_by_draft on rules.alerted (draft_id);
