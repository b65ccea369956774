ALTER TABLE "devices" ADD COLUMN "measured_awake_time" integer;--> statement-breakpoint
ALTER TABLE "devices" ADD COLUMN "awake_measured_at" timestamp (3) with time zone;