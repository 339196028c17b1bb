-- What the columns of a source's lists are called, where it is not known by itself: chosen once, and remembered for its next lists.
create table ingest.column_name (
    source text not null,
    name text not null,        -- as it stands in the header
    meaning text not null,     -- domain::list::ColumnMeaning, as a word
    chosen_at timestamptz not null,
    primary key (source, name)
);
