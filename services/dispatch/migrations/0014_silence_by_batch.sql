-- Reminders and follow-ups go by batch: the time to acknowledge begins with the hand-over of a person's own batch, so one that is held keeps nobody else
-- from being reminded.

-- When those of the batch who stayed silent were reminded (wave 1) or followed up (wave 2); null: not yet.
alter table dispatch.batch add column attended_at timestamptz;
create index batch_to_attend on dispatch.batch (alert_id, wave, closed_at) where state = 'closed' and attended_at is null;
-- Batches that wait with some of their people reached.
create index batch_held on dispatch.batch (first_hand_over_at) where state = 'ready' and accepted > 0;

-- Alerts whose reminder had begun when they went by waves.
update dispatch.batch b set attended_at = b.closed_at
  from dispatch.alert a join dispatch.wave w on w.alert_id = a.alert_id and w.wave = 2
 where a.state in ('dispatching', 'active') and b.alert_id = a.alert_id and b.state = 'closed'
   and (b.wave = 1 and (w.state <> 'planning' or b.batch_id <= w.planned_to)
        or b.wave = 2 and (w.state = 'settled' or w.state = 'closed' and b.batch_id <= w.planned_to));

-- At the end of an alert to people named one by one: the last of them who was looked at for whether they were reached and heard; null: nothing is left to look at.
alter table dispatch.alert add column unheard_to bigint;
create index alert_with_unheard on dispatch.alert (ended_at) where unheard_to is not null;
