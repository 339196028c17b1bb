-- Since when an alert is being checked that was stopped: screens say so beside it.
alter table display.alert
    add column checked_since timestamptz,
    -- it has ended, and what is shown is that: two people have said so
    add column says_its_end boolean not null default false;
