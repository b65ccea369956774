ALTER TABLE "devices" ADD COLUMN "updated_at" timestamp (3) with time zone;--> statement-breakpoint
-- The owner's statements see no rows while row security is forced. The start forces it again after the migrations.
ALTER TABLE "devices" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
UPDATE "devices" SET "updated_at" = "created_at";--> statement-breakpoint
ALTER TABLE "devices" ALTER COLUMN "updated_at" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "devices" ADD COLUMN "field_times" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "profiles" ADD COLUMN "field_times" jsonb DEFAULT '{}'::jsonb NOT NULL;