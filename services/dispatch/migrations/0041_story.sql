-- Published for review, which tells an alert's whole story: numbers, no persons.

-- Each pass over the audience.
create view dispatch.wave_story as
    select alert_id, wave, recipients, no_channel, began_at, planned_at, closed_at from dispatch.wave;

-- How it was handed over by wave and channel. Everybody is counted once, in the batch that was theirs last.
create view dispatch.handed_story as
    select alert_id, wave, channel, min(first_hand_over_at) as first_at, max(closed_at) as last_at,
           coalesce(sum(accepted), 0)::bigint as handed_over, coalesce(sum(unreachable), 0)::bigint as unreachable,
           coalesce(sum(withdrawn), 0)::bigint as withdrawn, coalesce(sum(size - accepted) filter (where state <> 'closed'), 0)::bigint as open
      from dispatch.batch group by alert_id, wave, channel;

-- What of it was not as it was approved, and who let it go on.
create view dispatch.unlike_story as
    select alert_id, part, language, channel, approved, found, found_at, went_on_at, went_on_by, reason from dispatch.unlike_approved;

-- Who was to be visited, and what came of it.
create view dispatch.follow_up_story as
    select alert_id, coalesce(outcome, 'open') as outcome, count(*) as people, min(opened_at) as first_at, max(coalesce(closed_at, opened_at)) as last_at
      from dispatch.follow_up group by alert_id, coalesce(outcome, 'open');
