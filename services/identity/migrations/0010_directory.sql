-- Who in the city's directory may sign in as which account: bound by two administrators, to what the directory itself calls a person and never
-- gives to another.
create table identity.directory_subject (
    staff_id uuid primary key references identity.staff (id),
    issuer text not null check (issuer <> ''),
    subject text not null check (subject <> '' and char_length(subject) <= 255),
    bound_at timestamptz not null,
    unique (issuer, subject)
);

-- Who has signed in at the directory and has no account here that is bound to them: for administrators, who may propose to bind one.
create table identity.directory_arrival (
    issuer text not null,
    subject text not null check (subject <> '' and char_length(subject) <= 255),
    name text not null,                      -- as the directory tells it; it binds nothing
    proposed_login text not null,            -- the login that the name proposes
    came_at timestamptz not null,
    primary key (issuer, subject)
);
create index directory_arrival_newest on identity.directory_arrival (came_at desc);
