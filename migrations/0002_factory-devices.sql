ALTER TABLE "devices" ADD COLUMN "factory_credential_id" uuid;--> statement-breakpoint
CREATE INDEX "devices_of_factory" ON "devices" USING btree ("factory_credential_id") WHERE "devices"."factory_credential_id" is not null;--> statement-breakpoint
-- The owner's statements see no rows while row security is forced. The start forces it again after the migrations.
ALTER TABLE "devices" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "bootstraps" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "factory_credentials" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
UPDATE "devices" SET "factory_credential_id" = "first"."credential_id" FROM (
	SELECT DISTINCT ON ("bootstraps"."device_id") "bootstraps"."device_id", "bootstraps"."credential_id"
	FROM "bootstraps" INNER JOIN "factory_credentials" ON "factory_credentials"."id" = "bootstraps"."credential_id"
	WHERE "bootstraps"."device_id" IS NOT NULL
	ORDER BY "bootstraps"."device_id", "bootstraps"."sequence"
) AS "first" WHERE "first"."device_id" = "devices"."id";
