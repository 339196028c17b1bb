-- Lists come as workbooks too, and a refused row says everything that is wrong with it.
alter table ingest.load drop constraint load_format_check;
alter table ingest.load add constraint load_format_check check (format in ('json', 'ndjson', 'csv', 'xlsx', 'xls', 'registration'));

-- the faults behind the first one, as a JSON array of field, reason and reason_en
alter table ingest.refused_row add column others jsonb not null default '[]';
