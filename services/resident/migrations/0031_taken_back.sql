-- A withdrawal by SMS is taken back from the phone that it came from, and from no other.
alter table resident.consent add column withdrawn_from bytea check (length(withdrawn_from) = 32);

-- Who is told again because of a message is told of that in the app as well.
alter table resident.notice drop constraint notice_kind_check;
alter table resident.notice add constraint notice_kind_check check (kind in ('signed_in_elsewhere', 'identity_proved', 'identity_taken',
    'identity_put_back', 'identity_replaced', 'number_changed', 'consent_withdrawn_by_sms', 'consent_resumed_by_sms'));
