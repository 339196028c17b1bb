-- When an account's first factor was enrolled by who had shown a password alone, in the grace of accounts from before: administrators ask its owner.
-- It stays though that factor is removed again, and goes when its owner begins anew.
alter table identity.staff add column enrolled_on_password_at timestamptz;
