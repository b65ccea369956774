CREATE TABLE "bootstrap_plans" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"profile_id" uuid,
	"device_id" uuid,
	"sealed_plan" "bytea" NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "bootstrap_plans_one_owner" CHECK (num_nonnulls("bootstrap_plans"."profile_id", "bootstrap_plans"."device_id") = 1)
);
--> statement-breakpoint
ALTER TABLE "bootstrap_plans" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "bootstraps" (
	"id" uuid PRIMARY KEY NOT NULL,
	"sequence" bigint GENERATED ALWAYS AS IDENTITY (sequence name "bootstraps_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tenant_id" text NOT NULL,
	"device_id" uuid,
	"endpoint" text,
	"status" text NOT NULL,
	"reason" text,
	"pack" boolean NOT NULL,
	"address" text NOT NULL,
	"security" jsonb,
	"credential_id" uuid,
	"lwm2m_version" text,
	"steps" jsonb NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "bootstraps" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "factory_credentials" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"identity" text NOT NULL,
	"sealed_key" "bytea" NOT NULL,
	"endpoint_pattern" text NOT NULL,
	"profile_id" uuid NOT NULL,
	"most_devices" integer NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "factory_credentials" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
DROP INDEX "credentials_identity";--> statement-breakpoint
DROP INDEX "credentials_subject";--> statement-breakpoint
ALTER TABLE "credentials" ADD COLUMN "purpose" text DEFAULT 'lwm2m' NOT NULL;--> statement-breakpoint
ALTER TABLE "credentials" ADD COLUMN "bootstrap_id" uuid;--> statement-breakpoint
ALTER TABLE "credentials" ADD COLUMN "used_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "bootstrap_plans" ADD CONSTRAINT "bootstrap_plans_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstrap_plans" ADD CONSTRAINT "bootstrap_plans_profile_id_profiles_id_fk" FOREIGN KEY ("profile_id") REFERENCES "public"."profiles"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstrap_plans" ADD CONSTRAINT "bootstrap_plans_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstraps" ADD CONSTRAINT "bootstraps_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstraps" ADD CONSTRAINT "bootstraps_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "factory_credentials" ADD CONSTRAINT "factory_credentials_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "factory_credentials" ADD CONSTRAINT "factory_credentials_profile_id_profiles_id_fk" FOREIGN KEY ("profile_id") REFERENCES "public"."profiles"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "bootstrap_plans_profile" ON "bootstrap_plans" USING btree ("profile_id");--> statement-breakpoint
CREATE UNIQUE INDEX "bootstrap_plans_device" ON "bootstrap_plans" USING btree ("device_id");--> statement-breakpoint
CREATE INDEX "bootstrap_plans_tenant" ON "bootstrap_plans" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "bootstraps_of_device" ON "bootstraps" USING btree ("device_id","sequence");--> statement-breakpoint
CREATE INDEX "bootstraps_of_tenant" ON "bootstraps" USING btree ("tenant_id","sequence");--> statement-breakpoint
CREATE INDEX "bootstraps_running" ON "bootstraps" USING btree ("id") WHERE "bootstraps"."status" = 'RUNNING';--> statement-breakpoint
CREATE UNIQUE INDEX "factory_credentials_identity" ON "factory_credentials" USING btree ("identity") WHERE revoked_at is null;--> statement-breakpoint
CREATE INDEX "factory_credentials_tenant" ON "factory_credentials" USING btree ("tenant_id");--> statement-breakpoint
CREATE UNIQUE INDEX "credentials_identity" ON "credentials" USING btree ("purpose","kind","identity") WHERE revoked_at is null and kind <> 'x509';--> statement-breakpoint
CREATE UNIQUE INDEX "credentials_subject" ON "credentials" USING btree ("tenant_id","purpose","identity") WHERE revoked_at is null and kind = 'x509';--> statement-breakpoint
CREATE POLICY "one_tenant" ON "bootstrap_plans" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("bootstrap_plans"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("bootstrap_plans"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "bootstrap_plans" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "bootstraps" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("bootstraps"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("bootstraps"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "bootstraps" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "factory_credentials" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("factory_credentials"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("factory_credentials"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "factory_credentials" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);