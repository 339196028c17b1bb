-- Alerts that no screen shows since their words are not what was approved: noted once, when it was found.
create table display.unlike_approved (
    alert_id uuid primary key,
    found_at timestamptz not null
);
