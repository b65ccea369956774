ALTER TABLE "dead_letters" ADD COLUMN "size" integer;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "sha256" "bytea";