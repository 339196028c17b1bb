-- Beside the waves, with number 8: a further message to people who are counted in a wave. It has no row of its own in dispatch.wave, and counts nobody.

-- Where a batch goes to certain devices of its people only: their ids, 8 octets each, ascending. Null: to all.
alter table dispatch.recipient_list add column devices bytea;

-- Of an urgent alert's first wave: how many have it in a browser only and were not looked at again so far.
alter table dispatch.batch add column by_browser smallint not null default 0;
create index batch_in_browsers on dispatch.batch (closed_at) where by_browser > 0;
