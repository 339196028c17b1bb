-- For whom an alert was withdrawn that stands for everybody else, as review decided: they are sent nothing more of it, and who had it is told so, in the
-- ledger of the alert with number 10. It has no row in dispatch.wave: nobody is planned, counted or waited for by it.
create table dispatch.withdrawn_for (
    alert_id uuid not null,                -- it may be heard of later
    resident_no integer not null,
    at timestamptz not null,
    by_end boolean not null,               -- it had been ended for everybody by then: its end tells them
    reached boolean,                       -- the alert had been handed over to them; null: not known yet, or told by its end
    settled_at timestamptz,                -- from then on they are in a batch that tells them, or there is nothing to tell them
    primary key (alert_id, resident_no)
);
create index withdrawn_for_to_settle on dispatch.withdrawn_for (alert_id) where settled_at is null;

-- Whether nothing of this wave is sent any more. Some are told until a day after its validity.
create or replace function dispatch.is_over(state text, expires_at timestamptz, withdrawal_until timestamptz, wave smallint, at timestamptz)
    returns boolean language sql immutable parallel safe
    return case wave when 9 then coalesce(withdrawal_until <= at, true)
                     when 10 then at - expires_at >= interval '24 hours'
                     else state not in ('dispatching', 'active') or expires_at <= at end;

create or replace view dispatch.withdrawal_batch as
    select alert_id, batch_id from dispatch.batch where wave in (9, 10);
