-- What signs heads stays what it is, and may be sealed anew, with another key of the installation.
drop trigger signing_key_is_never_changed on audit.signing_key;

create function audit.refuse_other_key() returns trigger language plpgsql as $$
begin
    if (new.id, new.public_key, new.made_at_ms) is distinct from (old.id, old.public_key, old.made_at_ms) then
        raise exception 'the audit trace is only ever appended to, and the key that signs it stays what it is' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
create trigger signing_key_is_never_changed before update on audit.signing_key
    for each row execute function audit.refuse_other_key();
create trigger signing_key_is_never_lost before delete on audit.signing_key
    for each row execute function audit.refuse_change();
