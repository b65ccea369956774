CREATE TABLE "object_definitions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "object_definitions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tenant_id" text NOT NULL,
	"object_id" integer NOT NULL,
	"version" text NOT NULL,
	"definition" json NOT NULL,
	"size" integer NOT NULL,
	"uploaded_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "object_definitions_version" UNIQUE("tenant_id","object_id","version")
);
--> statement-breakpoint
ALTER TABLE "object_definitions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "registration_profiles" (
	"tenant_id" text NOT NULL,
	"profile_id" text NOT NULL,
	"links" text NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "registration_profiles_tenant_id_profile_id_pk" PRIMARY KEY("tenant_id","profile_id")
);
--> statement-breakpoint
ALTER TABLE "registration_profiles" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "object_definitions" ADD CONSTRAINT "object_definitions_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registration_profiles" ADD CONSTRAINT "registration_profiles_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "one_tenant" ON "object_definitions" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("object_definitions"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("object_definitions"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "object_definitions" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "registration_profiles" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("registration_profiles"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("registration_profiles"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "registration_profiles" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);