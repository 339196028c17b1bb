-- The chain becomes a Merkle log as well. What is there stays as it is; the tree over it is built by the service when it starts, a thousand
-- entries in a transaction, and goes on where it stopped (some ten seconds for a million).
alter table audit.head
    add column tree_size bigint not null default 0 check (tree_size >= 0),
    -- the complete subtrees that make up the tree, the largest first
    add column frontier bytea not null default '';

-- The complete subtrees that an entry completes, itself first: their hashes, 32 bytes each. Written once.
create table audit.subtree (
    sequence bigint primary key,
    hashes bytea not null check (octet_length(hashes) > 0 and octet_length(hashes) % 32 = 0)
);
create trigger subtree_is_never_changed before update or delete on audit.subtree
    for each row execute function audit.refuse_change();
create trigger subtree_is_never_emptied before truncate on audit.subtree
    for each statement execute function audit.refuse_change();

-- What signs heads. The secret half is sealed, so that whoever can write here can still sign nothing.
create table audit.signing_key (
    id smallint primary key default 1 check (id = 1),
    public_key bytea not null check (octet_length(public_key) = 32),
    sealed bytea not null,
    made_at_ms bigint not null
);
create trigger signing_key_is_never_changed before update or delete on audit.signing_key
    for each row execute function audit.refuse_change();

create table audit.signed_head (
    size bigint primary key check (size > 0),
    -- of the signed head before it
    after bigint not null,
    root bytea not null check (octet_length(root) = 32),
    at_ms bigint not null,
    public_key bytea not null check (octet_length(public_key) = 32),
    signature bytea not null check (octet_length(signature) = 64),
    published_at_ms bigint
);
create index signed_head_unpublished on audit.signed_head (size) where published_at_ms is null;

create function audit.refuse_other_head() returns trigger language plpgsql as $$
begin
    if (new.size, new.after, new.root, new.at_ms, new.public_key, new.signature)
        is distinct from (old.size, old.after, old.root, old.at_ms, old.public_key, old.signature) then
        raise exception 'the audit trace is only ever appended to' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
create trigger signed_head_is_never_changed before update on audit.signed_head
    for each row execute function audit.refuse_other_head();
create trigger signed_head_is_never_lost before delete on audit.signed_head
    for each row execute function audit.refuse_change();
create trigger signed_head_is_never_emptied before truncate on audit.signed_head
    for each statement execute function audit.refuse_change();

-- Who publishes entries, and how far each has been heard: every number up to `heard` came, was excused, or is missing.
create table audit.publisher (
    publisher text primary key,
    heard bigint not null,
    -- the publisher itself has told what became of every number up to here
    counted bigint not null default 0
);

-- Numbers that have not come. They may still be on their way; those that their publisher counted are lost.
create table audit.missing (
    publisher text not null,
    number bigint not null,
    noticed_at_ms bigint not null,
    primary key (publisher, number)
);
create index missing_by_time on audit.missing (noticed_at_ms);

-- Whom nothing was granted to does nothing here, whatever else is granted to everybody.
revoke all on all tables in schema audit from public;
