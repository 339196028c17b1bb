-- domain::alert_view as statements ask for it, in one place: whether an alert of `of` (none: the whole city's) is seen by somebody who sees
-- `everywhere` or `own`, and who sees `drafts` too. A plain expression, so that it becomes part of the statement that calls it.
create function review.shows(of int, approved boolean, everywhere boolean, own int, drafts boolean) returns boolean
language sql immutable as $$
    select case when of is null then approved or everywhere and drafts else (everywhere or of = own) and (approved or drafts) end
$$;
