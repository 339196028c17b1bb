-- A correction is shown before it may be sent, where it is approved in quiet hours: its acknowledgement is asked for from the time on when it
-- can have arrived.
create or replace view dispatch.released_alert as
    select alert_id, short_code, class, content, audience_bitmap, released_at, expires_at,
           coalesce(handed_over_at, greatest(released_at, release_at)) + make_interval(secs => ack_window_s) as ack_by,
           exercise, audience, audience_revision
      from dispatch.alert
     where state in ('dispatching', 'active') and audience_bitmap is not null;

-- The same for inboxes, with what was ended by staff: who was told of it finds it there, marked as what it is.
create view dispatch.shown_alert as
    select a.alert_id, a.short_code, a.content, a.audience_bitmap, a.released_at, a.expires_at,
           coalesce(a.handed_over_at, greatest(a.released_at, a.release_at)) + make_interval(secs => a.ack_window_s) as ack_by,
           a.audience_revision,
           case when a.state in ('cancelled', 'superseded') then a.state else 'live' end as state,
           s.superseded_by, s.reason as stop_reason
      from dispatch.alert a left join dispatch.stop s on s.alert_id = a.alert_id
     where a.released_at is not null and a.state <> 'closed' and a.audience_bitmap is not null;

-- Published for sms: what tells of the end of an alert is not taken back with the alert.
create view dispatch.withdrawal_batch as
    select alert_id, batch_id from dispatch.batch where wave = 9;
