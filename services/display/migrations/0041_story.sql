-- The digest of the words that screens were given, by language (domain::approval_seal); null: they were given before there were seals.
alter table display.alert add column given jsonb;

-- Published for review, which tells an alert's whole story, and for dispatch, which shows the proof of delivery.
create view display.shown_story as
select a.alert_id, a.given, a.released_at as given_at,
       count(h.screen_id) as screens, coalesce(sum(h.plays), 0)::bigint as plays, min(h.first_shown_at) as first_at, max(h.last_shown_at) as last_at
  from display.alert a left join display.hand_over h using (alert_id) group by a.alert_id, a.given, a.released_at;
