-- Published for review: who might decide about an alert now. Names, roles and scopes are known to all colleagues; whether somebody has a session that
-- has not reached its end says that they have signed in, not that they sit there.
create view identity.officer as
    select s.id as staff_id, s.name, s.role, s.scope, s.acts_from, e.began_at as signed_in_at, e.ends_at as session_until
      from identity.staff s
      left join lateral (select began_at, ends_at from identity.session where staff_id = s.id order by ends_at desc limit 1) e on true
     where s.disabled_at is null and s.password_hash is not null;
