-- Whom a short message did not reach although the SMS centre had taken it: by the receipt, once for each batch. By month, like the ledger.
create table dispatch.undelivered (
    alert_id uuid not null,
    resident_no bigint not null,
    batch_id bigint not null,               -- of the message
    at timestamptz not null,
    primary key (alert_id, resident_no, batch_id)
) partition by range (alert_id);
create table dispatch.undelivered_default partition of dispatch.undelivered default;
