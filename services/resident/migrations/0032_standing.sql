-- What stands against a person (CQ2, CQ8, CQ12): an alert of a rule that says so leaves a standing with everybody whom records brought into it, until a record,
-- a decision, its time or its withdrawal lifts it. domain::standing decides; here is what it was told and what it said.

-- What an alert left: one row an alert, as its rule said when it was made. A later version of the rule changes nothing of it.
create table resident.standing_terms (
    alert_id uuid primary key,
    sent_by int not null,              -- the district whose draft it was
    terms jsonb not null,              -- domain::standing::StandingTerms
    clause uuid,                       -- domain::standing::LiftingRecord::key; null: no record lifts it
    purposes text[] not null,          -- for what it may be asked about
    contact text not null,             -- whom to ask, as the alert says
    alert_ends timestamptz not null
);

-- One row a person and alert. It stands while `ends_at` lies ahead: no job has to end it.
create table resident.standing (
    standing_id bigint generated always as identity primary key,
    resident_no int not null references resident.resident on delete cascade,
    named_no int not null,             -- as whom records named them: before they lost their number and began anew, it may be another
    alert_id uuid not null references resident.standing_terms,
    reason text not null,              -- the reason code of its terms
    -- where the person lives now
    district int not null,
    community bigint not null,
    opened_at timestamptz not null,
    since timestamptz,                 -- time of the newest record behind it that holds; null: none does
    until timestamptz,                 -- when its time is over
    counted smallint not null default 0, -- lifting records that count so far
    lifted_how text check (lifted_how in ('evidence_ended', 'alert_withdrawn', 'withdrawn_for_person', 'decision', 'record')), -- null: nothing but its time
    lifted_at timestamptz,             -- when that became known
    ends_at timestamptz not null,      -- lifted_at, or else until
    decided_at timestamptz,
    decided_by uuid,                   -- staff
    unique (named_no, alert_id),
    check ((lifted_how is null) = (lifted_at is null) and (decided_at is null) = (decided_by is null))
);
-- what stands against a person
create index standing_of_person on resident.standing (resident_no, ends_at desc);
-- what stands in a community, a district, the city, and what has ended there
create index standing_in_community on resident.standing (community, ends_at desc, standing_id desc);
create index standing_in_district on resident.standing (district, ends_at desc, standing_id desc);
create index standing_by_end on resident.standing (ends_at desc, standing_id desc);
-- what an alert left
create index standing_by_alert on resident.standing (alert_id, standing_id);

-- The records behind it, as far as the person is shown them.
create table resident.standing_evidence (
    standing_id bigint not null references resident.standing on delete cascade,
    record_id bigint not null,
    kind text,                         -- null: from before it was kept
    source text not null,              -- the unit that reported it
    occurred_at timestamptz not null,
    place text,                        -- only where the alert's own text names it
    ended_at timestamptz,              -- its source corrected it or took it back
    primary key (standing_id, record_id)
);

-- Who asked whether a person stands, and for what: the person is shown it.
create table resident.standing_question (
    question_id bigint generated always as identity primary key,
    resident_no int not null references resident.resident on delete cascade,
    asked_at timestamptz not null,
    unit text not null,                -- that holds the key
    purpose text not null,
    label jsonb not null,              -- the purpose in words, by language
    stood boolean not null
);
create index standing_question_by_resident on resident.standing_question (resident_no, question_id desc);
create index standing_question_by_time on resident.standing_question (asked_at);

-- Whoever moves takes it along: their new community sees it, the old one does not any more.
create function resident.standings_move () returns trigger
language plpgsql
as $$
begin
    update resident.standing set district = new.district, community = new.community where resident_no = new.resident_no;
    return null;
end
$$;
create trigger standings_move after update of community on resident.resident
    for each row when (old.community is distinct from new.community) execute function resident.standings_move();

-- A correction that has taken an alert's place is followed back to it.
create index alert_by_successor on resident.alert (superseded_by) where superseded_by is not null;

-- An objection to a standing: answered within a day, by others than those who sent the alert.
alter table resident.feedback drop constraint feedback_kind_check;
alter table resident.feedback
    add constraint feedback_kind_check check (kind in ('unclear', 'wrong', 'question', 'objection')),
    add column standing_id bigint references resident.standing on delete set null,
    add column answer_by timestamptz,
    add column sent_by int,            -- the district that sent what is objected to
    add constraint feedback_of_objection check ((kind = 'objection') = (answer_by is not null) and (kind = 'objection') = (sent_by is not null));
-- one waits at a time; and the newest of a standing
create unique index objection_waiting on resident.feedback (standing_id) where standing_id is not null and answered_at is null;
create index objection_by_standing on resident.feedback (standing_id, feedback_id desc) where standing_id is not null;

alter table resident.notice drop constraint notice_kind_check;
alter table resident.notice add constraint notice_kind_check check (kind in ('signed_in_elsewhere', 'identity_proved', 'identity_taken',
    'identity_put_back', 'identity_replaced', 'number_changed', 'consent_withdrawn_by_sms', 'consent_resumed_by_sms',
    'standing_lifted', 'standing_again'));
