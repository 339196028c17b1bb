with person as (
    select resident_no from resident.resident where identity_hash = $1
), found as (
    select s.ends_at, t.terms -> 'measure' as measure
      from person join resident.standing s using (resident_no) join resident.standing_terms t using (alert_id)
     where s.ends_at > $2 and $3 = any(t.purposes)
     order by s.ends_at desc limit 1
), noted as (
    insert into resident.standing_question (resident_no, asked_at, unit, purpose, label, stood)
    select resident_no, $2, $4, $3, $5, exists (select from found) from person
    returning resident_no
)
select (select ends_at from found) as until, (select measure from found) as measure, (select resident_no from noted) as resident_no
