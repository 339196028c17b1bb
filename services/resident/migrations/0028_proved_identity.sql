-- An identity document that somebody says is theirs is no longer believed: it is claimed until it is proved. `identity_hash` is the proved one, by
-- which records find people; a claim is found by nobody, and any number of people may claim the same.
--
-- Who registered with a document before this keeps it as proved, with the weakest proof there is ("earlier", an empty identity_proof): unbinding
-- everybody would take alerts away from the many to whom the documents belong. Every other proof takes it over, and they are told.
alter table resident.resident
    add column identity_proof text,
    add column claimed_hash bytea,
    add column claimed_kind text,
    -- of the rows that there are none has any of these, so that nobody waits until all of them are read
    add constraint resident_proof_of_an_identity
        check (identity_proof is null or (identity_hash is not null and identity_proof in ('earlier', 'record', 'code', 'in_person'))) not valid,
    add constraint resident_claim check ((claimed_hash is null) = (claimed_kind is null) and (claimed_hash is null or length(claimed_hash) = 32)) not valid;

-- Every time that a document was proved: by what, and from whom it was taken over. What staff have to look at stands here, too.
create table resident.binding (
    binding_id bigint generated always as identity primary key,
    identity_hash bytea not null check (length(identity_hash) = 32),
    identity_kind text not null,
    resident_no int not null references resident.resident on delete cascade,
    proof text not null check (proof in ('record', 'code', 'in_person')),
    by uuid,                      -- staff who saw the document
    at timestamptz not null,
    before_no int references resident.resident on delete set null, -- who held it until then
    before_proof text,
    objected_at timestamptz,
    put_back boolean not null default false,
    looked_at timestamptz,        -- when staff settled the objection
    check ((proof = 'in_person') = (by is not null))
);
-- what became of one document
create index binding_by_identity on resident.binding (identity_hash, binding_id);
-- what was proved for a person, and what was taken from them
create index binding_by_resident on resident.binding (resident_no);
create index binding_by_holder_before on resident.binding (before_no) where before_no is not null;
-- what staff have to look at
create index binding_objected_to on resident.binding (objected_at) where objected_at is not null and looked_at is null;

-- What a resident is told about their own sign-in, number and document.
create table resident.notice (
    notice_id bigint generated always as identity primary key,
    resident_no int not null references resident.resident on delete cascade,
    kind text not null check (kind in ('signed_in_elsewhere', 'identity_proved', 'identity_taken', 'identity_put_back', 'identity_replaced', 'number_changed')),
    binding_id bigint references resident.binding on delete cascade,
    at timestamptz not null,
    seen_at timestamptz
);
create index notice_by_resident on resident.notice (resident_no, notice_id);
create index notice_by_time on resident.notice (at);

-- Ingest sends what names a phone and a document to whom the document is proved for, and by a mere word to nobody.
create or replace view resident.subject as
select resident_no, phone_hash, identity_hash, district, township, community,
       identity_hash is not null and identity_proof is not null and identity_proof <> 'earlier' as identity_proved
  from resident.resident;
