-- Calls had a hash of their arguments that needs no key: a reader of the database could check guesses of a weak secret.
-- The owner's statements see no rows while row security is forced. The start forces it again after the migrations.
ALTER TABLE "rpcs" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
UPDATE "rpcs" SET "fingerprint" = null WHERE "fingerprint" is not null;
