-- What was approved is what leaves: the seal of whoever approved it, and what is not as they sealed it.
alter table dispatch.alert
    add column seal jsonb,             -- domain::approval_seal::ApprovalSeal; null: approved before there were seals
    add column unlike_at timestamptz;  -- since when it is held because what would leave is not what was approved

-- what is held because of it
create index alert_unlike on dispatch.alert (alert_id) where unlike_at is not null;

-- What differs. While something stands here that nobody has let go on, nothing of the alert leaves.
create table dispatch.unlike_approved (
    alert_id uuid not null references dispatch.alert,
    part text not null check (part in ('text', 'audience', 'terms', 'people', 'seal')),
    language text not null default '',  -- of words
    channel text not null default '',
    approved text not null,             -- a digest, or a number of people
    found text not null,
    found_at timestamptz not null,
    -- more people than were approved: an officer knows, and lets it go on
    went_on_at timestamptz,
    went_on_by uuid,
    reason text,
    primary key (alert_id, part, language, channel),
    check ((went_on_at is null) = (went_on_by is null)),
    check (went_on_at is null or part = 'people')
);

-- what nobody has let go on
create index unlike_open on dispatch.unlike_approved (alert_id) where went_on_at is null;

-- The words that a channel makes its messages of, by language, as the first process read them. They have left when somebody was handed one.
create table dispatch.sent_text (
    alert_id uuid not null references dispatch.alert,
    channel text not null,
    language text not null,
    digest text not null,
    sent_at timestamptz not null,
    primary key (alert_id, channel, language)
);

-- Since when approvals are sealed: of what was approved a day later or more a missing seal is one that somebody has taken away. The day is for processes of
-- the version before, which are still at work while others have begun.
create table dispatch.seals_since (
    only_one boolean primary key default true check (only_one),
    at timestamptz not null default now()
);
insert into dispatch.seals_since default values;
