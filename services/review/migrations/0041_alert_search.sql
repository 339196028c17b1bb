-- Alerts found again by words that stand in them: pieces of their texts as numbers (domain::found_text), beside the alert, since they change only when
-- its texts do. People whom an alert names are numbers in its audience and stand nowhere here.
create table review.alert_search (
    alert_id uuid primary key references review.alert,
    created_at timestamptz not null,
    pieces int[] not null
);
-- words that are rare
create index alert_search_by_piece on review.alert_search using gin (pieces);
-- words that are frequent are among the newest
create index alert_search_newest on review.alert_search (created_at desc, alert_id desc);

-- How far the alerts have been indexed that were there before the index.
create table review.alert_search_filled (
    only_one boolean primary key default true check (only_one),
    after uuid not null default '00000000-0000-0000-0000-000000000000',
    done boolean not null default false
);
insert into review.alert_search_filled (done) select not exists (select from review.alert);

-- without words: the newest ones, of everywhere, of a district, by an author, of a rule
create index alert_newest on review.alert (created_at desc, alert_id desc);
create index alert_newest_of_district on review.alert (district, created_at desc, alert_id desc);
create index alert_newest_by_author on review.alert (submitter, created_at desc, alert_id desc);
create index alert_newest_of_rule on review.alert (rule_id, created_at desc, alert_id desc) where rule_id is not null;
-- a code that was given to an alert that has ended may have been given again
create index alert_by_short_code on review.alert (short_code);
