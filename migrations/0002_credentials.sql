CREATE TABLE "credentials" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"device_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"identity" text NOT NULL,
	"sealed_key" "bytea",
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "credentials" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "revoked_certificates" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"fingerprint" text NOT NULL,
	"reason" text NOT NULL,
	"revoked_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "revoked_certificates" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "trust_anchors" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"certificate" "bytea" NOT NULL,
	"subject" text NOT NULL,
	"fingerprint" text NOT NULL,
	"not_after" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "trust_anchors" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "revoked_certificates" ADD CONSTRAINT "revoked_certificates_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "trust_anchors" ADD CONSTRAINT "trust_anchors_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "credentials_identity" ON "credentials" USING btree ("kind","identity") WHERE revoked_at is null and kind <> 'x509';--> statement-breakpoint
CREATE UNIQUE INDEX "credentials_subject" ON "credentials" USING btree ("tenant_id","identity") WHERE revoked_at is null and kind = 'x509';--> statement-breakpoint
CREATE INDEX "credentials_device" ON "credentials" USING btree ("device_id");--> statement-breakpoint
CREATE INDEX "credentials_tenant" ON "credentials" USING btree ("tenant_id");--> statement-breakpoint
CREATE UNIQUE INDEX "revoked_certificates_fingerprint" ON "revoked_certificates" USING btree ("tenant_id","fingerprint");--> statement-breakpoint
CREATE UNIQUE INDEX "trust_anchors_fingerprint" ON "trust_anchors" USING btree ("tenant_id","fingerprint");--> statement-breakpoint
CREATE POLICY "one_tenant" ON "credentials" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("credentials"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("credentials"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "credentials" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "revoked_certificates" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("revoked_certificates"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("revoked_certificates"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "revoked_certificates" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "trust_anchors" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("trust_anchors"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("trust_anchors"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "trust_anchors" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);