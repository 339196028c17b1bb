-- An alert that was stopped and of which nobody has said yet whether it holds: nothing of it is sent, nothing of it is lost.
alter table dispatch.alert
    add column held_at timestamptz,
    -- a correction for exactly those who have what it corrects, on the channels that carried that
    add column for_holders boolean not null default false;
-- the pump passes them over
create index alert_held on dispatch.alert (alert_id) where held_at is not null;

-- What is said of its end, by language, where two people have said it: domain::alert::AlertText each.
alter table dispatch.stop add column texts jsonb;

-- Published for review: how a word has gone out, by wave. Everybody is counted once, in the batch that was theirs last.
create view dispatch.word_told as
    select alert_id, wave, min(first_hand_over_at) as first_hand_over_at, max(closed_at) as last_closed_at,
           coalesce(sum(accepted), 0)::bigint as handed_over, coalesce(sum(unreachable), 0)::bigint as unreachable,
           coalesce(sum(size - accepted) filter (where state <> 'closed'), 0)::bigint as open
      from dispatch.batch where wave in (1, 9) group by alert_id, wave;

-- Whom a correction for those who have what it corrects is for is known at its release.
create or replace view dispatch.growing_alert as
    select a.alert_id
      from dispatch.alert a join dispatch.wave w on w.alert_id = a.alert_id and w.wave = 1
     where a.state in ('dispatching', 'active') and (a.exercise or not a.personal) and not a.for_holders
       and (w.state = 'planning' or w.chunks > a.audience_revision);
