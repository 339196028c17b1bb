-- What drafts hold is bounded where it is taken from now on (domain::ack_window, domain::instant). What was taken before without bounds
-- is brought within them, so that everything that is stored can be read.
update review.alert set content = jsonb_set(content, '{ack_window_s}', '2592000')
 where content @? '$.ack_window_s ? (@ > 2592000)';
update review.alert set content = jsonb_set(content, '{expires_at}', '"2199-12-31T00:00:00Z"')
 where content ->> 'expires_at' !~ '^2[01][0-9][0-9]-';
update review.step set content = jsonb_set(content, '{ack_window_s}', '2592000')
 where content @? '$.ack_window_s ? (@ > 2592000)';
update review.step set content = jsonb_set(content, '{expires_at}', '"2199-12-31T00:00:00Z"')
 where content ->> 'expires_at' !~ '^2[01][0-9][0-9]-';
