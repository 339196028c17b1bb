-- A reply that found nothing to acknowledge is looked at again for a while: the hand-over of its alert may be written down, or its release heard of,
-- a little later than a quick answer.
alter table resident.reply
    add column said_at timestamptz,
    add column code text,
    add column look_until timestamptz;
create index reply_to_look_at_again on resident.reply (look_until) where look_until is not null;
