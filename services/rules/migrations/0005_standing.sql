-- What stands against a person by a rule is lifted by records. A person is shown of what kind the records behind it are.
alter table rules.match add column kind text;
alter table rules.cooled add column kind text;

-- Records that lift what stands by some version of a rule: a negative test, for instance. Kept also where nothing stands, or not yet, since the alert may
-- come after the test. Forgotten when they can lift nothing any more.
create table rules.lifting (
    record_id bigint not null,
    clause uuid not null,           -- domain::standing::LiftingRecord::key
    resident_no int not null,
    sampled_at timestamptz not null,
    ended_at timestamptz,           -- its source corrected it or took it back
    primary key (record_id, clause)
);
-- what lifts something of a person
create index lifting_by_person on rules.lifting (resident_no, clause);
-- what can lift nothing any more
create index lifting_by_time on rules.lifting (sampled_at);

-- Published for resident ----------------------------------------------------------------------------------

-- Which rule made an alert, in the version that did; `sent_by`: whose draft it was.
create view rules.leaves_standing as
select draft.draft_id as alert_id, draft.district as sent_by, rule_version.definition
  from rules.draft join rules.rule_version using (rule_id, version)
 where rule_version.definition ? 'standing';

-- By which records who came into an alert. Of what a source said there is the place alone.
create view rules.named as
select match.draft_id as alert_id, match.resident_no, match.record_id, match.kind, match.source, match.occurred_at,
       match.attributes ->> 'place' as place, match.ended_at
  from rules.match where match.resident_no is not null;

-- Which records lift something of whom.
create view rules.lifts as select resident_no, clause, record_id, sampled_at, ended_at from rules.lifting;

-- For what it may be asked whether somebody stands: what the rules in force name.
create view rules.asked_for as
select distinct purpose ->> 'code' as code, purpose -> 'label' as label
  from rules.active join rules.rule_version using (rule_id, version),
       jsonb_array_elements(rule_version.definition -> 'standing' -> 'asked_for') as purpose;
