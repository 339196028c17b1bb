-- Receipts write the centre's ids in other case, and with or without zeros in front. The id itself stays as it was answered: the centre wants
-- it so when the message is to be taken back.
drop index sms.part_smsc_id;
create index part_smsc_ref on sms.part (ltrim(lower(smsc_id), '0'));

-- Messages of which the centre has some parts, or may have: where the next try of the same message goes on. Few, and gone when it is whole.
create table sms.begun (
    alert_id uuid not null,
    wave smallint not null,
    resident_no bigint not null,
    part smallint not null check (part > 0),
    parts smallint not null check (parts >= part),
    smsc_id text,                            -- the centre's id; null: no answer came
    unanswered smallint not null default 0,  -- how often it was submitted without an answer
    at timestamptz not null,                 -- of the answer, or of the last word of it
    primary key (alert_id, wave, resident_no, part)
);
