-- Who reviews an alert just now (domain::claim). A word among colleagues: nothing is locked by it.
create table review.claim (
    alert_id uuid primary key references review.alert,
    staff uuid not null,
    claimed_at timestamptz not null,
    until timestamptz not null
);
-- what has lapsed
create index claim_by_end on review.claim (until);
