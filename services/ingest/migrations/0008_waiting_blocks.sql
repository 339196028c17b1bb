-- what is sealed does not get smaller
alter table ingest.held_block alter column block_sealed set storage external;
