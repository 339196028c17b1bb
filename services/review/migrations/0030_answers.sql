-- What a reviewer answered item by item, and by what an alert that was sent back is known to have another audience since.
alter table review.step
    add column answers jsonb,              -- list of domain::checklist::Answered; null: nothing was asked
    add column audience_mark bytea;        -- domain::since_return::AudienceMark of what was sent back
