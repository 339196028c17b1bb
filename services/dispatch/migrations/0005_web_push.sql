-- Of the app's users: in a browser, by Web Push. Alerts that were counted before had none.
alter table dispatch.headcount add column web bigint not null default 0;
