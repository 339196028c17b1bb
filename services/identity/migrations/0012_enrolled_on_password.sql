-- That a factor was enrolled by who had shown a password alone, in the grace of accounts from before: administrators ask its owner.
alter table identity.factor add column on_password boolean not null default false;
