-- The audience and what became of each recipient; :recipients is how many there are.
create table recipient (
    resident_no integer primary key,
    -- As synthetic residents have them: the number in eight hex digits, then 56 that look random.
    device_token text not null
);

create table outcome (
    resident_no integer primary key,
    -- What APNs answered.
    status smallint not null,
    apns_id uuid,
    reason text,
    recorded_at timestamptz not null default clock_timestamp()
);

insert into recipient
select no, lpad(to_hex(no), 8, '0') || substr(md5(no::text) || md5('token ' || no), 1, 56)
from generate_series(1, :recipients) as no;

vacuum analyze recipient;
