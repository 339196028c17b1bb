-- What each process was started with last: of every setting that was given a keyed hash of its value, so that a change can be traced without its value.
create table bus.configuration (
    -- the services that the process serves
    process text not null,
    key text not null,
    value bytea not null,
    primary key (process, key)
);
