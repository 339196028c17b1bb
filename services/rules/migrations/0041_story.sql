-- Published for review, which tells an alert's whole story: the records that brought somebody or a place into it. Whom a record is about is not shown, and
-- of where they live the district alone.
create view rules.behind_alert as
select draft_id as alert_id, record_id, kind, source, case when resident_no is null then area else left(area, 6) end as area,
       resident_no is null as place, occurred_at, matched_at, ended_at
  from rules.match;
