CREATE TABLE "api_keys" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"token_hash" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "api_keys_token_hash" UNIQUE("token_hash")
);
--> statement-breakpoint
ALTER TABLE "api_keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
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
CREATE TABLE "credentials" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"device_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"purpose" text DEFAULT 'lwm2m' NOT NULL,
	"identity" text NOT NULL,
	"sealed_key" "bytea",
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"bootstrap_id" uuid,
	"used_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "credentials" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "dead_letters" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "dead_letters_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tenant_id" text NOT NULL,
	"device_id" uuid NOT NULL,
	"path" text NOT NULL,
	"kind" text NOT NULL,
	"reason" text NOT NULL,
	"bytes" "bytea" NOT NULL,
	"content_format" integer,
	"received_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "dead_letters" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "devices" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"endpoint" text NOT NULL,
	"name" text,
	"tags" text[] NOT NULL,
	"profile_id" uuid NOT NULL,
	"status" text NOT NULL,
	"last_seen" timestamp (3) with time zone,
	"awake_time" integer,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "devices_tenant_endpoint" UNIQUE("tenant_id","endpoint")
);
--> statement-breakpoint
ALTER TABLE "devices" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
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
CREATE TABLE "leases" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" uuid NOT NULL,
	"until" timestamp with time zone NOT NULL
);
--> statement-breakpoint
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
CREATE TABLE "observation_requests" (
	"device_id" uuid NOT NULL,
	"key" text NOT NULL,
	"tenant_id" text NOT NULL,
	"paths" text[] NOT NULL,
	"attributes" json,
	"content_format" integer,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "observation_requests_pkey" PRIMARY KEY("device_id","key")
);
--> statement-breakpoint
ALTER TABLE "observation_requests" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "observations" (
	"device_id" uuid NOT NULL,
	"token" text NOT NULL,
	"tenant_id" text NOT NULL,
	"registration_id" text NOT NULL,
	"paths" json NOT NULL,
	"composite" boolean NOT NULL,
	"content_format" integer,
	"attributes" json,
	"started_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "observations_pkey" PRIMARY KEY("device_id","token")
);
--> statement-breakpoint
ALTER TABLE "observations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"event_id" uuid NOT NULL,
	"tenant_id" text NOT NULL,
	"device_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"event" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "outbox" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "profiles" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"is_default" boolean NOT NULL,
	"mappings" json NOT NULL,
	"methods" json NOT NULL,
	"offline_after" integer,
	"awake_time" integer,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "profiles_tenant_name" UNIQUE("tenant_id","name")
);
--> statement-breakpoint
ALTER TABLE "profiles" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "registration_profiles" (
	"tenant_id" text NOT NULL,
	"profile_id" text NOT NULL,
	"links" text NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "registration_profiles_tenant_id_profile_id_pk" PRIMARY KEY("tenant_id","profile_id")
);
--> statement-breakpoint
ALTER TABLE "registration_profiles" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "registrations" (
	"device_id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"id" text NOT NULL,
	"lwm2m_version" text NOT NULL,
	"lifetime" bigint NOT NULL,
	"binding" text NOT NULL,
	"queue_mode" boolean NOT NULL,
	"sms_number" text,
	"profile_ids" text[] NOT NULL,
	"root_path" text NOT NULL,
	"content_formats" integer[] NOT NULL,
	"objects" json NOT NULL,
	"object_ids" integer[] NOT NULL,
	"additional" json NOT NULL,
	"peer" json NOT NULL,
	"transport" text NOT NULL,
	"registered_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	CONSTRAINT "registrations_id" UNIQUE("id")
);
--> statement-breakpoint
ALTER TABLE "registrations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "resource_values" (
	"device_id" uuid NOT NULL,
	"object_id" integer NOT NULL,
	"instance_id" integer NOT NULL,
	"resource_id" integer NOT NULL,
	"resource_instance_id" integer NOT NULL,
	"tenant_id" text NOT NULL,
	"type" text,
	"guessed" boolean NOT NULL,
	"value" text,
	"measured_at" timestamp (3) with time zone NOT NULL,
	"source" text NOT NULL,
	CONSTRAINT "resource_values_pkey" PRIMARY KEY("device_id","object_id","instance_id","resource_id","resource_instance_id")
);
--> statement-breakpoint
ALTER TABLE "resource_values" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "revoked_certificates" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"fingerprint" text NOT NULL,
	"reason" text NOT NULL,
	"revoked_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "revoked_certificates" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "rpc_transitions" (
	"rpc_id" uuid NOT NULL,
	"ordinal" integer NOT NULL,
	"tenant_id" text NOT NULL,
	"from_status" text,
	"to_status" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"detail" text,
	CONSTRAINT "rpc_transitions_pkey" PRIMARY KEY("rpc_id","ordinal")
);
--> statement-breakpoint
ALTER TABLE "rpc_transitions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "rpcs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"sequence" bigint GENERATED ALWAYS AS IDENTITY (sequence name "rpcs_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tenant_id" text NOT NULL,
	"device_id" uuid NOT NULL,
	"method" text NOT NULL,
	"params" json,
	"operation" json,
	"mode" text NOT NULL,
	"status" text NOT NULL,
	"attempts" integer NOT NULL,
	"timeout_ms" integer NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"sent_at" timestamp (3) with time zone,
	"completed_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	"idempotency_key" text,
	"result" json,
	"error" json
);
--> statement-breakpoint
ALTER TABLE "rpcs" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "settings" (
	"key" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "telemetry_points" (
	"event_id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"device_id" uuid NOT NULL,
	"timestamp" timestamp (3) with time zone NOT NULL,
	"numeric_values" jsonb NOT NULL,
	"string_values" jsonb NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "telemetry_points" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "tenants" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "tenants" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
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
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstrap_plans" ADD CONSTRAINT "bootstrap_plans_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstrap_plans" ADD CONSTRAINT "bootstrap_plans_profile_id_profiles_id_fk" FOREIGN KEY ("profile_id") REFERENCES "public"."profiles"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstrap_plans" ADD CONSTRAINT "bootstrap_plans_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstraps" ADD CONSTRAINT "bootstraps_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstraps" ADD CONSTRAINT "bootstraps_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD CONSTRAINT "dead_letters_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "devices" ADD CONSTRAINT "devices_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "devices" ADD CONSTRAINT "devices_profile_id_profiles_id_fk" FOREIGN KEY ("profile_id") REFERENCES "public"."profiles"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "factory_credentials" ADD CONSTRAINT "factory_credentials_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "factory_credentials" ADD CONSTRAINT "factory_credentials_profile_id_profiles_id_fk" FOREIGN KEY ("profile_id") REFERENCES "public"."profiles"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "handshakes" ADD CONSTRAINT "handshakes_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "handshakes" ADD CONSTRAINT "handshakes_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "object_definitions" ADD CONSTRAINT "object_definitions_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "observation_requests" ADD CONSTRAINT "observation_requests_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "observation_requests" ADD CONSTRAINT "observation_requests_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "observations" ADD CONSTRAINT "observations_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "observations" ADD CONSTRAINT "observations_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "profiles" ADD CONSTRAINT "profiles_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registration_profiles" ADD CONSTRAINT "registration_profiles_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_values" ADD CONSTRAINT "resource_values_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_values" ADD CONSTRAINT "resource_values_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "revoked_certificates" ADD CONSTRAINT "revoked_certificates_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rpc_transitions" ADD CONSTRAINT "rpc_transitions_rpc_id_rpcs_id_fk" FOREIGN KEY ("rpc_id") REFERENCES "public"."rpcs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rpc_transitions" ADD CONSTRAINT "rpc_transitions_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rpcs" ADD CONSTRAINT "rpcs_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rpcs" ADD CONSTRAINT "rpcs_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "telemetry_points" ADD CONSTRAINT "telemetry_points_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "trust_anchors" ADD CONSTRAINT "trust_anchors_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_keys_tenant" ON "api_keys" USING btree ("tenant_id");--> statement-breakpoint
CREATE UNIQUE INDEX "bootstrap_plans_profile" ON "bootstrap_plans" USING btree ("profile_id");--> statement-breakpoint
CREATE UNIQUE INDEX "bootstrap_plans_device" ON "bootstrap_plans" USING btree ("device_id");--> statement-breakpoint
CREATE INDEX "bootstrap_plans_tenant" ON "bootstrap_plans" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "bootstraps_of_device" ON "bootstraps" USING btree ("device_id","sequence");--> statement-breakpoint
CREATE INDEX "bootstraps_of_tenant" ON "bootstraps" USING btree ("tenant_id","sequence");--> statement-breakpoint
CREATE INDEX "bootstraps_running" ON "bootstraps" USING btree ("id") WHERE "bootstraps"."status" = 'RUNNING';--> statement-breakpoint
CREATE UNIQUE INDEX "credentials_identity" ON "credentials" USING btree ("purpose","kind","identity") WHERE revoked_at is null and kind <> 'x509';--> statement-breakpoint
CREATE UNIQUE INDEX "credentials_subject" ON "credentials" USING btree ("tenant_id","purpose","identity") WHERE revoked_at is null and kind = 'x509';--> statement-breakpoint
CREATE INDEX "credentials_claims" ON "credentials" USING btree ("kind","identity");--> statement-breakpoint
CREATE INDEX "credentials_device" ON "credentials" USING btree ("device_id");--> statement-breakpoint
CREATE INDEX "credentials_tenant" ON "credentials" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "dead_letters_device" ON "dead_letters" USING btree ("device_id","id");--> statement-breakpoint
CREATE INDEX "dead_letters_tenant" ON "dead_letters" USING btree ("tenant_id","id");--> statement-breakpoint
CREATE INDEX "dead_letters_received" ON "dead_letters" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "devices_by_name" ON "devices" USING btree ("tenant_id",coalesce("name", ''),"id");--> statement-breakpoint
CREATE INDEX "devices_by_last_seen" ON "devices" USING btree ("tenant_id",coalesce("last_seen", '-infinity'::timestamptz),"id");--> statement-breakpoint
CREATE INDEX "devices_by_creation" ON "devices" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "devices_profile" ON "devices" USING btree ("profile_id");--> statement-breakpoint
CREATE INDEX "devices_tags" ON "devices" USING gin ("tags");--> statement-breakpoint
CREATE UNIQUE INDEX "factory_credentials_identity" ON "factory_credentials" USING btree ("identity") WHERE revoked_at is null;--> statement-breakpoint
CREATE INDEX "factory_credentials_tenant" ON "factory_credentials" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "factory_credentials_profile" ON "factory_credentials" USING btree ("profile_id");--> statement-breakpoint
CREATE INDEX "handshakes_device" ON "handshakes" USING btree ("device_id","id");--> statement-breakpoint
CREATE INDEX "handshakes_credential" ON "handshakes" USING btree ("credential_id");--> statement-breakpoint
CREATE INDEX "handshakes_tenant" ON "handshakes" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "observation_requests_tenant" ON "observation_requests" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "observations_tenant" ON "observations" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "outbox_created" ON "outbox" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "profiles_one_default" ON "profiles" USING btree ("tenant_id") WHERE "profiles"."is_default";--> statement-breakpoint
CREATE INDEX "profiles_page" ON "profiles" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "registrations_tenant" ON "registrations" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "registrations_objects" ON "registrations" USING gin ("object_ids");--> statement-breakpoint
CREATE INDEX "resource_values_tenant" ON "resource_values" USING btree ("tenant_id");--> statement-breakpoint
CREATE UNIQUE INDEX "revoked_certificates_fingerprint" ON "revoked_certificates" USING btree ("tenant_id","fingerprint");--> statement-breakpoint
CREATE INDEX "rpc_transitions_tenant" ON "rpc_transitions" USING btree ("tenant_id");--> statement-breakpoint
CREATE UNIQUE INDEX "rpcs_idempotency_key" ON "rpcs" USING btree ("tenant_id","idempotency_key");--> statement-breakpoint
CREATE INDEX "rpcs_of_device" ON "rpcs" USING btree ("device_id","sequence");--> statement-breakpoint
CREATE INDEX "rpcs_active" ON "rpcs" USING btree ("device_id","sequence") WHERE "rpcs"."status" in ('QUEUED', 'SENT', 'DELIVERED');--> statement-breakpoint
CREATE INDEX "rpcs_tenant" ON "rpcs" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "telemetry_points_history" ON "telemetry_points" USING btree ("device_id","timestamp","event_id");--> statement-breakpoint
CREATE INDEX "telemetry_points_received" ON "telemetry_points" USING btree ("received_at");--> statement-breakpoint
CREATE UNIQUE INDEX "trust_anchors_fingerprint" ON "trust_anchors" USING btree ("tenant_id","fingerprint");--> statement-breakpoint
CREATE POLICY "one_tenant" ON "api_keys" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("api_keys"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("api_keys"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "api_keys" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "bootstrap_plans" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("bootstrap_plans"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("bootstrap_plans"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "bootstrap_plans" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "bootstraps" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("bootstraps"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("bootstraps"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "bootstraps" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "credentials" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("credentials"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("credentials"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "credentials" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "dead_letters" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("dead_letters"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("dead_letters"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "dead_letters" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "devices" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("devices"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("devices"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "devices" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "factory_credentials" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("factory_credentials"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("factory_credentials"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "factory_credentials" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "handshakes" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("handshakes"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("handshakes"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "handshakes" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "object_definitions" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("object_definitions"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("object_definitions"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "object_definitions" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "observation_requests" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("observation_requests"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("observation_requests"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "observation_requests" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "observations" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("observations"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("observations"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "observations" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "outbox" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("outbox"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("outbox"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "outbox" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "profiles" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("profiles"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("profiles"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "profiles" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "registration_profiles" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("registration_profiles"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("registration_profiles"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "registration_profiles" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "registrations" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("registrations"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("registrations"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "registrations" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "resource_values" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("resource_values"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("resource_values"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "resource_values" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "revoked_certificates" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("revoked_certificates"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("revoked_certificates"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "revoked_certificates" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "rpc_transitions" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("rpc_transitions"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("rpc_transitions"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "rpc_transitions" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "rpcs" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("rpcs"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("rpcs"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "rpcs" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "telemetry_points" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("telemetry_points"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("telemetry_points"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "telemetry_points" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "tenants" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("tenants"."id" = current_setting('app.tenant', true)) WITH CHECK ("tenants"."id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "tenants" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "one_tenant" ON "trust_anchors" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("trust_anchors"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("trust_anchors"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "trust_anchors" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);