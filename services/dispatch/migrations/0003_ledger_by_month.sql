-- The ledger by month: an alert's id begins with the time at which it was made (UUID version 7), so a range of ids is a
-- month, and the batches of old alerts are dropped by detaching their month (domain::month, platform::database::Monthly).

create sequence dispatch.batch_number;
select setval('dispatch.batch_number', coalesce(max(batch_id), 0) + 1, false) from dispatch.batch;

alter table dispatch.batch rename to batch_before;
alter table dispatch.recipient_list rename to recipient_list_before;
drop index dispatch.batch_ready, dispatch.batch_in_flight, dispatch.batch_in_wave, dispatch.batch_open;

-- The unit of work, lease and record: some hundred recipients of one wave and one channel.
create table dispatch.batch (
    batch_id bigint not null default nextval('dispatch.batch_number'),
    alert_id uuid not null references dispatch.alert,
    due_at timestamptz not null,
    not_before timestamptz not null,
    lease_until timestamptz,                -- claimed (when released) or renewed (when claimed) by then, or ready again
    send_until timestamptz,                 -- when quiet hours begin for it; set by the pump
    first_hand_over_at timestamptz,
    closed_at timestamptz,
    number integer not null,                -- domain::batch::BatchNumber
    first_no bigint not null,
    last_no bigint not null,
    lease integer not null default 0,       -- counts claims; a holder of an older one has lost the batch
    wave smallint not null,
    size smallint not null check (size > 0),
    accepted smallint not null default 0,
    retried smallint not null default 0,    -- went on in a retry batch
    fell_back smallint not null default 0,  -- went on in an SMS batch
    unreachable smallint not null default 0,
    withdrawn smallint not null default 0,  -- alert ended, or acknowledged before the reminder left
    urgent boolean not null,
    channel text not null check (channel in ('app', 'sms')),
    state text not null check (state in ('ready', 'released', 'claimed', 'closed')),
    holder text,
    outcomes bytea,                         -- one domain::outcome byte per recipient; null: all pending
    primary key (alert_id, batch_id),
    unique (alert_id, wave, channel, number),
    check (outcomes is null or length(outcomes) = size),
    check (state <> 'closed' or accepted + retried + fell_back + unreachable + withdrawn = size)
) partition by range (alert_id);
create index batch_ready on dispatch.batch (channel, urgent desc, due_at, batch_id) where state = 'ready';
create index batch_in_flight on dispatch.batch (channel, urgent) where state in ('released', 'claimed');
create index batch_in_wave on dispatch.batch (alert_id, wave, batch_id);
create index batch_open on dispatch.batch (alert_id, wave) where state <> 'closed';
-- No month is ever refused for want of a table of its own.
create table dispatch.batch_default partition of dispatch.batch default with (fillfactor = 85);

-- Who is in a batch: ascending resident numbers, delta LEB128 (domain::batch). Written once, together with its batch.
create table dispatch.recipient_list (
    alert_id uuid not null,
    batch_id bigint not null,
    recipients bytea not null,
    primary key (alert_id, batch_id)
) partition by range (alert_id);
alter table dispatch.recipient_list alter column recipients set storage external;
create table dispatch.recipient_list_default partition of dispatch.recipient_list default;

insert into dispatch.batch (batch_id, alert_id, due_at, not_before, lease_until, send_until, first_hand_over_at, closed_at, number, first_no,
                            last_no, lease, wave, size, accepted, retried, fell_back, unreachable, withdrawn, urgent, channel, state, holder, outcomes)
select batch_id, alert_id, due_at, not_before, lease_until, send_until, first_hand_over_at, closed_at, number, first_no,
       last_no, lease, wave, size, accepted, retried, fell_back, unreachable, withdrawn, urgent, channel, state, holder, outcomes
  from dispatch.batch_before;
insert into dispatch.recipient_list (alert_id, batch_id, recipients)
select b.alert_id, r.batch_id, r.recipients from dispatch.recipient_list_before r join dispatch.batch_before b using (batch_id);
drop table dispatch.recipient_list_before;
drop table dispatch.batch_before;
