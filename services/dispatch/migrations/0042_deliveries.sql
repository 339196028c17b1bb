-- deliveries, the newest first: of everywhere, of a district
create index alert_newest on dispatch.alert (approved_at desc, alert_id desc);
create index alert_newest_of_district on dispatch.alert (district, approved_at desc, alert_id desc);

-- Published for resident: with the seal of whoever approved it, so that inboxes show what was approved.
create or replace view dispatch.shown_alert as
    select a.alert_id, a.short_code, a.content, a.audience_bitmap, a.released_at, a.expires_at,
           coalesce(a.handed_over_at, greatest(a.released_at, a.release_at)) + make_interval(secs => a.ack_window_s) as ack_by,
           a.audience_revision,
           case when a.state in ('cancelled', 'superseded') then a.state else 'live' end as state,
           s.superseded_by, s.reason as stop_reason, a.class, a.seal
      from dispatch.alert a left join dispatch.stop s on s.alert_id = a.alert_id
     where a.released_at is not null and a.state <> 'closed' and a.audience_bitmap is not null;
