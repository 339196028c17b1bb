-- What residents said is forgotten after three years, whoever said it.
create index feedback_to_forget on resident.feedback (at);
drop index resident.feedback_of_strangers;

-- Who is silenced by a message from their number is told so in the app.
alter table resident.notice drop constraint notice_kind_check;
alter table resident.notice add constraint notice_kind_check check (kind in ('signed_in_elsewhere', 'identity_proved', 'identity_taken',
    'identity_put_back', 'identity_replaced', 'number_changed', 'consent_withdrawn_by_sms'));

alter table resident.reply drop constraint reply_meaning_check;
alter table resident.reply add constraint reply_meaning_check
    check (meaning in ('acknowledged', 'withdrawn', 'resumed', 'other', 'unknown_sender', 'no_open_alert'));
