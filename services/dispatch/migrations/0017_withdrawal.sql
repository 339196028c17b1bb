-- The end of an alert reaches who heard it: a wave of its own, with number 9, in the ledger of the alert that has ended.

alter table dispatch.wave drop constraint if exists wave_wave_check;
alter table dispatch.wave add constraint wave_wave_check check (wave between 1 and 9);

alter table dispatch.alert
    add column corrects uuid,                  -- the alert that this one corrects
    add column root_id uuid,                   -- the first of its chain of corrections: on a phone they take each other's place; null: itself
    add column withdrawal_until timestamptz;   -- stopped by staff: until when those who heard of it are told
create index alert_correction on dispatch.alert (corrects) where corrects is not null;

alter table dispatch.stop
    add column superseded_by uuid,
    add column reason text,                       -- as whoever cancelled it wrote
    add column withdrawal_planned_at timestamptz; -- from then on everybody who is told of the end is in a batch
-- What was stopped before nobody told of, and nobody tells of now.
update dispatch.stop set withdrawal_planned_at = stopped_at;
create index stop_to_plan on dispatch.stop (stopped_at) where withdrawal_planned_at is null;

-- Whether nothing of this wave is sent any more.
create function dispatch.is_over(state text, expires_at timestamptz, withdrawal_until timestamptz, wave smallint, at timestamptz)
    returns boolean language sql immutable parallel safe
    return case when wave = 9 then coalesce(withdrawal_until <= at, true)
                else state not in ('dispatching', 'active') or expires_at <= at end;
