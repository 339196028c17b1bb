-- Steps that failed for one alert or wave: they are set aside for a while, ever longer, so that they never stop the others.
create table dispatch.set_aside (
    alert_id uuid not null references dispatch.alert,
    wave smallint not null,                -- 0: the alert as a whole
    step text not null check (step in ('release', 'plan', 'publish', 'close', 'remind', 'withdraw', 'count', 'send')),
    failures integer not null,
    since timestamptz not null,
    until timestamptz not null,            -- when it is tried again
    why text not null,                     -- no personal data
    primary key (alert_id, wave, step)
);

-- Grows with every audience_bitmap that is published, so that readers know an older one: the chunks of wave 1 that it holds, 1 where the audience
-- was known from the start.
alter table dispatch.alert add column audience_revision integer not null default 0;
update dispatch.alert a
   set audience_revision = case when a.personal and not a.exercise then 1
                                else coalesce((select w.chunks from dispatch.wave w
                                                where w.alert_id = a.alert_id and w.wave = 1 and w.state <> 'planning'), 0) end
 where audience_bitmap is not null;

-- Waves that are not over: of alerts that have ended they are to be withdrawn.
create index wave_not_settled on dispatch.wave (alert_id) where state <> 'settled';

create or replace view dispatch.released_alert as
    select alert_id, short_code, class, content, audience_bitmap, released_at, expires_at,
           coalesce(handed_over_at, released_at) + make_interval(secs => ack_window_s) as ack_by,
           exercise, audience, audience_revision
      from dispatch.alert
     where state in ('dispatching', 'active') and audience_bitmap is not null;

-- How far each alert is: for those who compare what they have heard with what is so.
create view dispatch.alert_progress as
    select alert_id, state, released_at, handed_over_at, ended_at from dispatch.alert;
