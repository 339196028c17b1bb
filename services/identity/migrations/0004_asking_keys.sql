-- A key may also ask whether something stands against a person, for the purposes that it names; a key that only asks delivers nothing. Keys from before this
-- ask nothing.
alter table identity.api_key
    add column asks text[] not null default '{}',
    drop constraint api_key_kinds_check,
    add constraint api_key_good_for_something check (cardinality(kinds) + cardinality(asks) > 0);
