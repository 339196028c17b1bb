-- A gap is one row however long it is, so that no number is too far from the one before it to be noted.
alter table audit.missing rename column number to first;
alter table audit.missing add column last bigint;
update audit.missing set last = first;
alter table audit.missing alter column last set not null, add constraint missing_is_a_range check (first <= last);

-- Whether a publisher went on without counting: when what was heard of it last was published.
alter table audit.publisher add column heard_at_ms bigint not null default 0;
