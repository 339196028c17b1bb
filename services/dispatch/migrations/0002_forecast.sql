-- The deadline forecast: what is foreseen for each alert, and from what.

-- How many people an alert is for and what reaches them, counted once when the alert arrived: of what is not planned yet
-- this is all that is known, and batches do not say which provider serves whom.
create table dispatch.headcount (
    alert_id uuid primary key references dispatch.alert,
    people bigint not null,
    app bigint not null,
    apns bigint not null,                  -- of app; who has both kinds of phone counts in both
    fcm bigint not null,
    sms bigint not null,                   -- without the app
    sms_parts smallint not null check (sms_parts > 0),
    counted_at timestamptz not null
);

-- The newest forecast of each wave that was in line, and the alarm about it.
create table dispatch.forecast (
    alert_id uuid not null references dispatch.alert,
    wave smallint not null check (wave between 1 and 2),
    made_at timestamptz not null,          -- the last time that it was another one
    outlook jsonb not null,                -- domain::forecast::Outlook
    spare_s bigint not null,               -- negative: the deadline is missed by so many seconds
    app_done bigint not null,              -- recipients that each channel was done with by made_at
    sms_done bigint not null,
    told_s bigint,                         -- spare_s when its danger was last told
    in_danger_since timestamptz,
    ended_at timestamptz,                  -- handed over, or stopped: nothing is foreseen any more
    primary key (alert_id, wave),
    check ((told_s is null) = (in_danger_since is null))
);
create index forecast_open on dispatch.forecast (alert_id, wave) where ended_at is null;

-- What each channel was lately seen to hand over, from one look to the next; a few minutes of it.
create table dispatch.seen (
    channel text not null check (channel in ('app', 'sms')),
    at timestamptz not null,
    pressing boolean not null,             -- there was something to be sent at this moment
    seconds double precision not null,     -- since the look before, if something was to be sent all the time; else 0
    messages double precision not null,    -- handed over in them
    primary key (channel, at)
);
