ALTER TABLE "bootstrap_plans" DROP CONSTRAINT "bootstrap_plans_profile_id_profiles_id_fk";--> statement-breakpoint
ALTER TABLE "bootstrap_plans" DROP CONSTRAINT "bootstrap_plans_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "bootstraps" DROP CONSTRAINT "bootstraps_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "dead_letters" DROP CONSTRAINT "dead_letters_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "devices" DROP CONSTRAINT "devices_profile_id_profiles_id_fk";--> statement-breakpoint
ALTER TABLE "factory_credentials" DROP CONSTRAINT "factory_credentials_profile_id_profiles_id_fk";--> statement-breakpoint
ALTER TABLE "handshakes" DROP CONSTRAINT "handshakes_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "handshakes" DROP CONSTRAINT "handshakes_credential_id_credentials_id_fk";--> statement-breakpoint
ALTER TABLE "observation_requests" DROP CONSTRAINT "observation_requests_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "observations" DROP CONSTRAINT "observations_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "registrations" DROP CONSTRAINT "registrations_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "resource_values" DROP CONSTRAINT "resource_values_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "rpc_transitions" DROP CONSTRAINT "rpc_transitions_rpc_id_rpcs_id_fk";--> statement-breakpoint
ALTER TABLE "rpcs" DROP CONSTRAINT "rpcs_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "telemetry_points" DROP CONSTRAINT "telemetry_points_device_id_devices_id_fk";--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "size" integer;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "sha256" "bytea";--> statement-breakpoint
ALTER TABLE "devices" ADD COLUMN "factory_credential_id" uuid;--> statement-breakpoint
ALTER TABLE "rpcs" ADD COLUMN "delivery" text;--> statement-breakpoint
ALTER TABLE "rpcs" ADD COLUMN "fingerprint" text;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_of_tenant" UNIQUE("tenant_id","id");--> statement-breakpoint
ALTER TABLE "devices" ADD CONSTRAINT "devices_of_tenant" UNIQUE("tenant_id","id");--> statement-breakpoint
ALTER TABLE "profiles" ADD CONSTRAINT "profiles_of_tenant" UNIQUE("tenant_id","id");--> statement-breakpoint
ALTER TABLE "rpcs" ADD CONSTRAINT "rpcs_of_tenant" UNIQUE("tenant_id","id");--> statement-breakpoint
-- The owner's statements see no rows while row security is forced. The start forces it again after the migrations.
ALTER TABLE "devices" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "bootstraps" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "factory_credentials" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
UPDATE "devices" SET "factory_credential_id" = "first"."credential_id" FROM (
	SELECT DISTINCT ON ("bootstraps"."device_id") "bootstraps"."device_id", "bootstraps"."credential_id"
	FROM "bootstraps" INNER JOIN "factory_credentials" ON "factory_credentials"."id" = "bootstraps"."credential_id"
	WHERE "bootstraps"."device_id" IS NOT NULL
	ORDER BY "bootstraps"."device_id", "bootstraps"."sequence"
) AS "first" WHERE "first"."device_id" = "devices"."id";--> statement-breakpoint
ALTER TABLE "bootstrap_plans" ADD CONSTRAINT "bootstrap_plans_profile_id_of_tenant" FOREIGN KEY ("tenant_id","profile_id") REFERENCES "profiles"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstrap_plans" ADD CONSTRAINT "bootstrap_plans_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bootstraps" ADD CONSTRAINT "bootstraps_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD CONSTRAINT "dead_letters_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "devices" ADD CONSTRAINT "devices_profile_id_of_tenant" FOREIGN KEY ("tenant_id","profile_id") REFERENCES "profiles"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "factory_credentials" ADD CONSTRAINT "factory_credentials_profile_id_of_tenant" FOREIGN KEY ("tenant_id","profile_id") REFERENCES "profiles"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "handshakes" ADD CONSTRAINT "handshakes_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "handshakes" ADD CONSTRAINT "handshakes_credential_id_of_tenant" FOREIGN KEY ("tenant_id","credential_id") REFERENCES "credentials"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "observation_requests" ADD CONSTRAINT "observation_requests_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "observations" ADD CONSTRAINT "observations_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_values" ADD CONSTRAINT "resource_values_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rpc_transitions" ADD CONSTRAINT "rpc_transitions_rpc_id_of_tenant" FOREIGN KEY ("tenant_id","rpc_id") REFERENCES "rpcs"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rpcs" ADD CONSTRAINT "rpcs_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "telemetry_points" ADD CONSTRAINT "telemetry_points_device_id_of_tenant" FOREIGN KEY ("tenant_id","device_id") REFERENCES "devices"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "devices_of_factory" ON "devices" USING btree ("factory_credential_id") WHERE "devices"."factory_credential_id" is not null;
