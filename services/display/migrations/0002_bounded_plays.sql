-- How many showings a screen has reported in a day (UTC): a day has only so many.
create table display.play_day (
    screen_id uuid not null references display.screen,
    day date not null,
    plays integer not null,
    primary key (screen_id, day)
);

-- Showings are forgotten after a time; how often an alert was shown stands in display.hand_over for good.
create index play_to_forget on display.play (shown_at);
