ALTER TABLE "rpcs" ADD COLUMN "delivery" text;--> statement-breakpoint
ALTER TABLE "rpcs" ADD COLUMN "fingerprint" text;