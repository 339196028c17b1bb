-- By what kind of document somebody is known; its number is nowhere. Null beside a hash: from before there were several, so an identity card.
alter table resident.resident add column identity_kind text,
    -- of the rows that there are none has a kind, so that nobody waits until all of them are read
    add constraint resident_identity_kind check (identity_kind is null or identity_hash is not null) not valid;
