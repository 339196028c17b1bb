-- Sending again to whoever an alert has not reached, when what kept it from them was mended: one round after the other, asked for by an officer.
create table dispatch.sending_again (
    alert_id uuid not null references dispatch.alert,
    round smallint not null check (round > 0),
    asked_by uuid not null,
    asked_at timestamptz not null,
    people bigint not null check (people > 0),  -- not reached when it was asked for
    up_to bigint not null,                  -- the newest batch then: who is not reached later is for another round
    planned_to bigint not null default -1,  -- the batch of wave 1 that was gone through last
    sent bigint not null default 0,         -- of the people: in batches again; the others have acknowledged, or neither app nor SMS
    planned_at timestamptz,
    primary key (alert_id, round)
);
create unique index sending_again_once on dispatch.sending_again (alert_id) where planned_at is null;
