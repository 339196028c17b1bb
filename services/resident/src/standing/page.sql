-- One of the three has rows, by its own index; the others are not looked at.
with page as (
    (select standing_id from resident.standing
         where $1
           and ends_at > coalesce($4::timestamptz, '-infinity') and ends_at <= coalesce($5::timestamptz, 'infinity')
           and (ends_at, standing_id) < (least($6::timestamptz, 'infinity'), $7) and ($8::text is null or reason = $8)
         order by ends_at desc, standing_id desc limit $9)
    union all
    (select standing_id from resident.standing
         where district = $2
           and ends_at > coalesce($4::timestamptz, '-infinity') and ends_at <= coalesce($5::timestamptz, 'infinity')
           and (ends_at, standing_id) < (least($6::timestamptz, 'infinity'), $7) and ($8::text is null or reason = $8)
         order by ends_at desc, standing_id desc limit $9)
    union all
    (select standing_id from resident.standing
         where community = $3
           and ends_at > coalesce($4::timestamptz, '-infinity') and ends_at <= coalesce($5::timestamptz, 'infinity')
           and (ends_at, standing_id) < (least($6::timestamptz, 'infinity'), $7) and ($8::text is null or reason = $8)
         order by ends_at desc, standing_id desc limit $9)
)
select s.standing_id as "standing_id!", s.resident_no as "resident_no!", s.alert_id as "alert_id!", s.district as "district!",
       s.community as "community!", s.opened_at as "opened_at!", s.since, s.until, s.counted as "counted!", s.lifted_how, s.lifted_at,
       s.ends_at as "ends_at!", t.terms as "terms!", t.sent_by as "sent_by!",
       exists (select from resident.feedback f where f.standing_id = s.standing_id and f.answered_at is null) as "waits!"
  from page join resident.standing s using (standing_id) join resident.standing_terms t using (alert_id)
 order by s.ends_at desc, s.standing_id desc
