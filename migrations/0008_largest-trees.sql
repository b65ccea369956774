CREATE TABLE "largest_trees" (
	"tenant_id" text PRIMARY KEY NOT NULL,
	"objects" integer DEFAULT 0 NOT NULL,
	"instances" integer DEFAULT 0 NOT NULL,
	"resources" integer DEFAULT 0 NOT NULL,
	"registered_objects" integer DEFAULT 0 NOT NULL,
	"registered_instances" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
ALTER TABLE "largest_trees" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "largest_trees" ADD CONSTRAINT "largest_trees_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "one_tenant" ON "largest_trees" AS PERMISSIVE FOR ALL TO "treeline_app" USING ("largest_trees"."tenant_id" = current_setting('app.tenant', true)) WITH CHECK ("largest_trees"."tenant_id" = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "all_tenants" ON "largest_trees" AS PERMISSIVE FOR ALL TO "treeline_system" USING (true) WITH CHECK (true);--> statement-breakpoint
-- The owner's statements see no rows while row security is forced. The start forces it again after the migrations.
ALTER TABLE "resource_values" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "registrations" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
INSERT INTO "largest_trees" ("tenant_id", "objects", "instances", "resources")
	SELECT "tenant_id", max("objects"), max("instances"), max("resources") FROM (
		SELECT "tenant_id", count(DISTINCT "object_id") AS "objects", count(DISTINCT ("object_id", "instance_id")) AS "instances",
			count(DISTINCT ("object_id", "instance_id", "resource_id")) AS "resources"
		FROM "resource_values" GROUP BY "tenant_id", "device_id"
	) AS "sizes" GROUP BY "tenant_id";--> statement-breakpoint
INSERT INTO "largest_trees" ("tenant_id", "registered_objects", "registered_instances")
	SELECT "tenant_id", max("objects"), max("instances") FROM (
		SELECT "tenant_id", jsonb_array_length("objects"::jsonb) AS "objects", (
			SELECT coalesce(sum(jsonb_array_length("one" -> 'instanceIds')), 0) FROM jsonb_array_elements("registrations"."objects"::jsonb) AS "list"("one")
		) AS "instances" FROM "registrations"
	) AS "sizes" GROUP BY "tenant_id"
	ON CONFLICT ("tenant_id") DO UPDATE SET "registered_objects" = excluded."registered_objects", "registered_instances" = excluded."registered_instances";