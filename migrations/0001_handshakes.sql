CREATE TABLE "handshakes" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "handshakes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tenant_id" text NOT NULL,
	"device_id" uuid NOT NULL,
	"credential_id" uuid NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"duration_ms" integer NOT NULL,
	"address" text NOT NULL,
	"suite" text,
	"resumed" boolean NOT NULL,
	"established" boolean NOT NULL,
	"alert" text,
	"reason" text
);
--> statement-breakpoint
ALTER TABLE "handshakes" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "handshakes" ADD CONSTRAINT "handshakes_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "handshakes" ADD CONSTRAINT "handshakes_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "handshakes_device" ON "handshakes" USING btree ("device_id","id");--> statement-breakpoint
CREATE INDEX "handshakes_credential" ON "handshakes" USING btree ("credential_id");--> statement-breakpoint
CREATE INDEX "handshakes_tenant" ON "handshakes" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "credentials_claims" ON "credentials" USING btree ("kind","identity");--> statement-breakpoint
CREATE POLICY "one_tenant" ON "handshakes" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("handshakes"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("handshakes"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "handshakes" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);