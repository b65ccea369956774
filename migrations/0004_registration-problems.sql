CREATE TABLE "registration_problems" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "registration_problems_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tenant_id" text NOT NULL,
	"device_id" uuid,
	"endpoint" text,
	"kind" text NOT NULL,
	"code" text,
	"reason" text NOT NULL,
	"address" text NOT NULL,
	"network" text NOT NULL,
	"security" jsonb,
	"digest" text NOT NULL,
	"count" integer NOT NULL,
	"first_at" timestamp (3) with time zone NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "registration_problems_equal" UNIQUE NULLS NOT DISTINCT("tenant_id","device_id","digest")
);
--> statement-breakpoint
ALTER TABLE "registration_problems" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "devices" ADD COLUMN "added_from" text;--> statement-breakpoint
ALTER TABLE "registration_problems" ADD CONSTRAINT "registration_problems_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registration_problems" ADD CONSTRAINT "registration_problems_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "registration_problems_by_time" ON "registration_problems" USING btree ("tenant_id","last_at","id");--> statement-breakpoint
CREATE INDEX "registration_problems_of_device" ON "registration_problems" USING btree ("device_id","last_at");--> statement-breakpoint
CREATE INDEX "registration_problems_of_nobody" ON "registration_problems" USING btree ("tenant_id","network","last_at") WHERE "registration_problems"."device_id" is null;--> statement-breakpoint
CREATE INDEX "devices_added_from" ON "devices" USING btree ("tenant_id","added_from") WHERE "devices"."added_from" is not null;--> statement-breakpoint
CREATE POLICY "one_tenant" ON "registration_problems" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("registration_problems"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("registration_problems"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "registration_problems" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);