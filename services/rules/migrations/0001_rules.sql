-- Versioned rules (CQ7), what they matched, and the drafts that are gathering.
create schema if not exists rules;

create table rules.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);

-- A version is never changed; a change is a new version.
create table rules.rule_version (
    rule_id uuid not null,
    version int not null check (version > 0),
    name text not null,
    definition jsonb not null,   -- domain::rule::RuleVersion
    written_by uuid not null,    -- staff
    written_at timestamptz not null,
    primary key (rule_id, version)
);

-- At most one version of a rule is in force.
create table rules.active (
    rule_id uuid primary key,
    version int not null,
    activated_by uuid not null,  -- who answers for the alerts it makes
    activated_at timestamptz not null,
    foreign key (rule_id, version) references rules.rule_version
);

-- What a district fills in for templates: isolation site, test site.
create table rules.district_fact (
    district int not null,
    name text not null,
    value text not null,
    changed_by uuid not null,    -- staff
    changed_at timestamptz not null,
    primary key (district, name)
);

-- Loads already evaluated: a repeat of the event changes nothing.
create table rules.evaluated_load (
    load_id uuid primary key,
    evaluated_at timestamptz not null,
    records int not null,
    matched int not null
);

-- One draft per rule, district and window. A draft is made by one version: a new version opens its own.
create table rules.draft (
    draft_id uuid primary key,   -- becomes the alert's id
    rule_id uuid not null,
    version int not null,
    district int not null,
    activated_by uuid not null,  -- as it was when the draft was opened
    opened_at timestamptz not null,
    closes_at timestamptz not null,
    closed_at timestamptz,
    foreign key (rule_id, version) references rules.rule_version
);
-- the open draft of a rule's version and district
create unique index draft_open on rules.draft (rule_id, version, district) where closed_at is null;
-- drafts whose window has ended
create index draft_due on rules.draft (closes_at) where closed_at is null;

-- Which record brought whom into which draft. One rule meets one record once.
create table rules.match (
    rule_id uuid not null,
    record_id bigint not null,
    draft_id uuid not null references rules.draft,
    resident_no int,             -- null: the record is about a place
    area text not null,          -- domain::area::Area: where the resident lives or the place lies, as closely as is known
    source text not null,        -- the unit that reported it
    occurred_at timestamptz not null,
    attributes jsonb not null,   -- only those that templates can name
    matched_at timestamptz not null,
    primary key (rule_id, record_id)
);
create index match_by_draft on rules.match (draft_id);

-- Who was last gathered into an alert by which rule, for the cooldown (CQ4).
create table rules.alerted (
    rule_id uuid not null,
    resident_no int not null,
    alerted_at timestamptz not null,
    primary key (rule_id, resident_no)
);
