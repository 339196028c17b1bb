-- By the person first, whose standings are few: how many stand in the city is nothing to plan by.
with person as (
    select resident_no from resident.resident where identity_hash = $1
), own as materialized (
    select s.ends_at, s.alert_id from resident.standing s where s.resident_no = (select resident_no from person)
), found as (
    select own.ends_at, t.terms -> 'measure' as measure
      from own join resident.standing_terms t using (alert_id)
     where own.ends_at > $2 and $3 = any(t.purposes)
     order by own.ends_at desc limit 1
), noted as (
    insert into resident.standing_question (resident_no, asked_at, unit, purpose, label, stood)
    select resident_no, $2, $4, $3, $5, exists (select from found) from person
    returning resident_no
)
select (select ends_at from found) as until, (select measure from found) as measure, (select resident_no from noted) as resident_no
