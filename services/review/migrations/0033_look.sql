-- Which version of an alert somebody has had before them whole: many are decided at once only after that.
create table review.look (
    alert_id uuid not null references review.alert,
    staff uuid not null,
    version int not null,
    looked_at timestamptz not null,
    primary key (alert_id, staff)
);
-- what is forgotten
create index look_by_time on review.look (looked_at);
