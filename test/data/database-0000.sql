-- A database of version 0.1.0 at commit 0da27ba, after migration 0000, for test/e2e/upgrade.test.ts. It was written by a
-- server on PostgreSQL 15 with two devices (one from a factory credential), and dumped by `pg_dump --inserts --no-owner`.
-- Its secret key is the byte 0xab 32 times, its admin token is version-0-admin-token.

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA drizzle;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE drizzle.__drizzle_migrations (
    id integer NOT NULL,
    hash text NOT NULL,
    created_at bigint
);

CREATE SEQUENCE drizzle.__drizzle_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE drizzle.__drizzle_migrations_id_seq OWNED BY drizzle.__drizzle_migrations.id;

CREATE TABLE public.api_keys (
    id uuid NOT NULL,
    tenant_id text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    token_hash text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

ALTER TABLE ONLY public.api_keys FORCE ROW LEVEL SECURITY;

CREATE TABLE public.bootstrap_plans (
    id uuid NOT NULL,
    tenant_id text NOT NULL,
    profile_id uuid,
    device_id uuid,
    sealed_plan bytea NOT NULL,
    updated_at timestamp(3) with time zone NOT NULL,
    CONSTRAINT bootstrap_plans_one_owner CHECK ((num_nonnulls(profile_id, device_id) = 1))
);

ALTER TABLE ONLY public.bootstrap_plans FORCE ROW LEVEL SECURITY;

CREATE TABLE public.bootstraps (
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    tenant_id text NOT NULL,
    device_id uuid,
    endpoint text,
    status text NOT NULL,
    reason text,
    pack boolean NOT NULL,
    address text NOT NULL,
    security jsonb,
    credential_id uuid,
    lwm2m_version text,
    steps jsonb NOT NULL,
    started_at timestamp(3) with time zone NOT NULL,
    ended_at timestamp(3) with time zone
);

ALTER TABLE ONLY public.bootstraps FORCE ROW LEVEL SECURITY;

ALTER TABLE public.bootstraps ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.bootstraps_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.credentials (
    id uuid NOT NULL,
    tenant_id text NOT NULL,
    device_id uuid NOT NULL,
    kind text NOT NULL,
    purpose text DEFAULT 'lwm2m'::text NOT NULL,
    identity text NOT NULL,
    sealed_key bytea,
    created_at timestamp(3) with time zone NOT NULL,
    expires_at timestamp(3) with time zone,
    revoked_at timestamp(3) with time zone,
    bootstrap_id uuid,
    used_at timestamp(3) with time zone
);

ALTER TABLE ONLY public.credentials FORCE ROW LEVEL SECURITY;

CREATE TABLE public.dead_letters (
    id bigint NOT NULL,
    tenant_id text NOT NULL,
    device_id uuid NOT NULL,
    path text NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    bytes bytea NOT NULL,
    content_format integer,
    received_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.dead_letters FORCE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letters ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dead_letters_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.devices (
    id uuid NOT NULL,
    tenant_id text NOT NULL,
    endpoint text NOT NULL,
    name text,
    tags text[] NOT NULL,
    profile_id uuid NOT NULL,
    status text NOT NULL,
    last_seen timestamp(3) with time zone,
    awake_time integer,
    created_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.devices FORCE ROW LEVEL SECURITY;

CREATE TABLE public.factory_credentials (
    id uuid NOT NULL,
    tenant_id text NOT NULL,
    name text NOT NULL,
    identity text NOT NULL,
    sealed_key bytea NOT NULL,
    endpoint_pattern text NOT NULL,
    profile_id uuid NOT NULL,
    most_devices integer NOT NULL,
    created_at timestamp(3) with time zone NOT NULL,
    expires_at timestamp(3) with time zone NOT NULL,
    revoked_at timestamp(3) with time zone
);

ALTER TABLE ONLY public.factory_credentials FORCE ROW LEVEL SECURITY;

CREATE TABLE public.handshakes (
    id bigint NOT NULL,
    tenant_id text NOT NULL,
    device_id uuid NOT NULL,
    credential_id uuid NOT NULL,
    at timestamp(3) with time zone NOT NULL,
    duration_ms integer NOT NULL,
    address text NOT NULL,
    suite text,
    resumed boolean NOT NULL,
    established boolean NOT NULL,
    alert text,
    reason text
);

ALTER TABLE ONLY public.handshakes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.handshakes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.handshakes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.leases (
    name text NOT NULL,
    holder uuid NOT NULL,
    until timestamp with time zone NOT NULL
);

CREATE TABLE public.object_definitions (
    id bigint NOT NULL,
    tenant_id text NOT NULL,
    object_id integer NOT NULL,
    version text NOT NULL,
    definition json NOT NULL,
    size integer NOT NULL,
    uploaded_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.object_definitions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.object_definitions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.object_definitions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.observation_requests (
    device_id uuid NOT NULL,
    key text NOT NULL,
    tenant_id text NOT NULL,
    paths text[] NOT NULL,
    attributes json,
    content_format integer,
    created_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.observation_requests FORCE ROW LEVEL SECURITY;

CREATE TABLE public.observations (
    device_id uuid NOT NULL,
    token text NOT NULL,
    tenant_id text NOT NULL,
    registration_id text NOT NULL,
    paths json NOT NULL,
    composite boolean NOT NULL,
    content_format integer,
    attributes json,
    started_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.observations FORCE ROW LEVEL SECURITY;

CREATE TABLE public.outbox (
    id bigint NOT NULL,
    event_id uuid NOT NULL,
    tenant_id text NOT NULL,
    device_id uuid NOT NULL,
    kind text NOT NULL,
    event jsonb NOT NULL,
    created_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.outbox FORCE ROW LEVEL SECURITY;

ALTER TABLE public.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.profiles (
    id uuid NOT NULL,
    tenant_id text NOT NULL,
    name text NOT NULL,
    is_default boolean NOT NULL,
    mappings json NOT NULL,
    methods json NOT NULL,
    offline_after integer,
    awake_time integer,
    created_at timestamp(3) with time zone NOT NULL,
    updated_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.profiles FORCE ROW LEVEL SECURITY;

CREATE TABLE public.registration_profiles (
    tenant_id text NOT NULL,
    profile_id text NOT NULL,
    links text NOT NULL,
    updated_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.registration_profiles FORCE ROW LEVEL SECURITY;

CREATE TABLE public.registrations (
    device_id uuid NOT NULL,
    tenant_id text NOT NULL,
    id text NOT NULL,
    lwm2m_version text NOT NULL,
    lifetime bigint NOT NULL,
    binding text NOT NULL,
    queue_mode boolean NOT NULL,
    sms_number text,
    profile_ids text[] NOT NULL,
    root_path text NOT NULL,
    content_formats integer[] NOT NULL,
    objects json NOT NULL,
    object_ids integer[] NOT NULL,
    additional json NOT NULL,
    peer json NOT NULL,
    transport text NOT NULL,
    registered_at timestamp(3) with time zone NOT NULL,
    updated_at timestamp(3) with time zone NOT NULL,
    expires_at timestamp(3) with time zone
);

ALTER TABLE ONLY public.registrations FORCE ROW LEVEL SECURITY;

CREATE TABLE public.resource_values (
    device_id uuid NOT NULL,
    object_id integer NOT NULL,
    instance_id integer NOT NULL,
    resource_id integer NOT NULL,
    resource_instance_id integer NOT NULL,
    tenant_id text NOT NULL,
    type text,
    guessed boolean NOT NULL,
    value text,
    measured_at timestamp(3) with time zone NOT NULL,
    source text NOT NULL
);

ALTER TABLE ONLY public.resource_values FORCE ROW LEVEL SECURITY;

CREATE TABLE public.revoked_certificates (
    id uuid NOT NULL,
    tenant_id text NOT NULL,
    fingerprint text NOT NULL,
    reason text NOT NULL,
    revoked_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.revoked_certificates FORCE ROW LEVEL SECURITY;

CREATE TABLE public.rpc_transitions (
    rpc_id uuid NOT NULL,
    ordinal integer NOT NULL,
    tenant_id text NOT NULL,
    from_status text,
    to_status text NOT NULL,
    at timestamp(3) with time zone NOT NULL,
    detail text
);

ALTER TABLE ONLY public.rpc_transitions FORCE ROW LEVEL SECURITY;

CREATE TABLE public.rpcs (
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    tenant_id text NOT NULL,
    device_id uuid NOT NULL,
    method text NOT NULL,
    params json,
    operation json,
    mode text NOT NULL,
    status text NOT NULL,
    attempts integer NOT NULL,
    timeout_ms integer NOT NULL,
    created_by text NOT NULL,
    created_at timestamp(3) with time zone NOT NULL,
    sent_at timestamp(3) with time zone,
    completed_at timestamp(3) with time zone,
    expires_at timestamp(3) with time zone,
    idempotency_key text,
    result json,
    error json
);

ALTER TABLE ONLY public.rpcs FORCE ROW LEVEL SECURITY;

ALTER TABLE public.rpcs ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rpcs_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.settings (
    key text NOT NULL,
    value jsonb NOT NULL
);

CREATE TABLE public.telemetry_points (
    event_id uuid NOT NULL,
    tenant_id text NOT NULL,
    device_id uuid NOT NULL,
    "timestamp" timestamp(3) with time zone NOT NULL,
    numeric_values jsonb NOT NULL,
    string_values jsonb NOT NULL,
    received_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.telemetry_points FORCE ROW LEVEL SECURITY;

CREATE TABLE public.tenants (
    id text NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.tenants FORCE ROW LEVEL SECURITY;

CREATE TABLE public.trust_anchors (
    id uuid NOT NULL,
    tenant_id text NOT NULL,
    name text NOT NULL,
    certificate bytea NOT NULL,
    subject text NOT NULL,
    fingerprint text NOT NULL,
    not_after timestamp(3) with time zone NOT NULL,
    created_at timestamp(3) with time zone NOT NULL
);

ALTER TABLE ONLY public.trust_anchors FORCE ROW LEVEL SECURITY;

ALTER TABLE ONLY drizzle.__drizzle_migrations ALTER COLUMN id SET DEFAULT nextval('drizzle.__drizzle_migrations_id_seq'::regclass);

INSERT INTO drizzle.__drizzle_migrations VALUES (1, 'b7c97c0b0b1510eadb2a6d8efa824ccb59efa6d9eab25d0f91633719891b696a', 1795343766426);

INSERT INTO public.api_keys VALUES ('155c561d-8fc5-43e5-9ce9-ad7489d8b25a', 'default', 'viewer', 'viewer', 'a46bb1574d137375ee5471ddde799922f1b1e886c9556b380bfe13e7e90b537d', '2026-11-28 06:58:07.173+00', NULL);

INSERT INTO public.bootstrap_plans VALUES ('85efb35d-8b55-4eae-b8f0-0a7a0d58a8c5', 'default', 'e86f2c2c-df96-4e14-ab6d-b3bd36e0f525', NULL, '\x01b20c552945cde9bfe5baec66199767828446554c69eebddb0242da4999feb3f0cf351ffb59df9fe16f18a1d94fd93c5a2f4ce74f97fc5fc7e5bf28585e5d05d968c9399f277acb20bbabc8c5db57ec1aeed14f07954293b0b7c070ed9e44f5d9ae5b12d1be2d0ca51f2509744877f7724595f2e1b2599f8a8c1e8e2fd00240412de3750ef4c9823222407e57ad5944596aa151c0dbc747f1e8238d0a5f09dcccb5d5c821fb015d846746ece93c46cf4555ca42e677ec9a8e616dbab11b2fa140', '2026-11-28 06:58:07.389+00');

INSERT INTO public.bootstraps OVERRIDING SYSTEM VALUE VALUES ('9779b9b4-6769-419b-b9ca-e9358dfaaa69', 1, 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'urn:batch:1', 'FINISHED', NULL, false, '127.0.0.1:53021', '{"kind": "psk", "name": "batch"}', '913513bc-60b9-4196-9bdb-4b6167f935ff', '1.1', '[{"code": "2.05", "path": "/", "bytes": 20, "endedAt": 1795849088887, "message": null, "operation": "DISCOVER", "startedAt": 1795849088879, "contentFormat": null}, {"code": "2.02", "path": "/0", "bytes": 0, "endedAt": 1795849088897, "message": null, "operation": "DELETE", "startedAt": 1795849088892, "contentFormat": null}, {"code": "2.02", "path": "/1", "bytes": 0, "endedAt": 1795849088905, "message": null, "operation": "DELETE", "startedAt": 1795849088900, "contentFormat": null}, {"code": "2.04", "path": "/0/1", "bytes": 94, "endedAt": 1795849088918, "message": null, "operation": "WRITE", "startedAt": 1795849088911, "contentFormat": 11542}, {"code": "2.04", "path": "/1/0", "bytes": 15, "endedAt": 1795849088925, "message": null, "operation": "WRITE", "startedAt": 1795849088921, "contentFormat": 11542}, {"code": "2.04", "path": "/bs", "bytes": 0, "endedAt": 1795849088932, "message": null, "operation": "FINISH", "startedAt": 1795849088928, "contentFormat": null}]', '2026-11-28 06:58:08.856+00', '2026-11-28 06:58:08.935+00');

INSERT INTO public.credentials VALUES ('c6fce8b7-4832-4eb1-a200-74c44627665f', 'default', 'a7972e2e-0765-4314-b8df-e5943e2f41cf', 'psk', 'lwm2m', 'two', '\x01b20c5529126c49d0037b748707d2e192edeeae360bf47fd0455c9d089521d7ff0d0abad5a9df68fef9aaede36b1693a7c8457dc676fa4ee83b7d77ee2c451959', '2026-11-28 06:58:07.247+00', NULL, NULL, NULL, NULL);
INSERT INTO public.credentials VALUES ('fa24c0a0-2af6-46f0-aaf9-14e203c33506', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'psk', 'lwm2m', 'urn:batch:1#f2f03855', '\x01b20c5529ef8a8658192dfdac714d4a8cca942f87d82bb99208ef40eff9b1d0dc82fff27b5f0ae9c845e8dce8a953485bb3646bbe4db1c1c0eb1c1e8810db1511', '2026-11-28 06:58:08.869+00', NULL, NULL, '9779b9b4-6769-419b-b9ca-e9358dfaaa69', '2026-11-28 06:58:09.078+00');

INSERT INTO public.devices VALUES ('a7972e2e-0765-4314-b8df-e5943e2f41cf', 'default', 'urn:imei:2', 'Meter two', '{a,b}', 'e86f2c2c-df96-4e14-ab6d-b3bd36e0f525', 'NEVER_SEEN', NULL, NULL, '2026-11-28 06:58:07.241+00');
INSERT INTO public.devices VALUES ('3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'default', 'urn:batch:1', NULL, '{}', 'e86f2c2c-df96-4e14-ab6d-b3bd36e0f525', 'ONLINE', '2026-11-28 06:58:14.067+00', NULL, '2026-11-28 06:58:08.849+00');
INSERT INTO public.devices VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 'default', 'urn:imei:1', NULL, '{}', 'e86f2c2c-df96-4e14-ab6d-b3bd36e0f525', 'ONLINE', '2026-11-28 06:58:14.661+00', NULL, '2026-11-28 06:57:59.632+00');

INSERT INTO public.factory_credentials VALUES ('913513bc-60b9-4196-9bdb-4b6167f935ff', 'default', 'batch', 'batch', '\x01b20c5529509733263e0dd79823802856f900ae7ac3aa18571830b0a526dcfd231e17fe6f9e9df0952e2864aecacc547d', 'urn:batch:*', 'e86f2c2c-df96-4e14-ab6d-b3bd36e0f525', 5, '2026-11-28 06:58:07.455+00', '2036-01-01 00:00:00+00', NULL);

INSERT INTO public.handshakes OVERRIDING SYSTEM VALUE VALUES (1, 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'fa24c0a0-2af6-46f0-aaf9-14e203c33506', '2026-11-28 06:58:09.059+00', 14, '127.0.0.1:44048', 'TLS_PSK_WITH_AES_128_CCM_8', false, true, NULL, NULL);

INSERT INTO public.observation_requests VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', '/3/0/13', 'default', '{/3/0/13}', NULL, NULL, '2026-11-28 06:58:07.083+00');

INSERT INTO public.observations VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', '000000003fb88c30', 'default', 'f5zCyxtF2QdySssk', '["/3303/0/5700"]', false, 112, NULL, '2026-11-28 06:57:59.725+00');
INSERT INTO public.observations VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', '000000014f7cdbad', 'default', 'f5zCyxtF2QdySssk', '["/3304/0/5700"]', false, 112, NULL, '2026-11-28 06:57:59.753+00');
INSERT INTO public.observations VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', '000000024b295d43', 'default', 'f5zCyxtF2QdySssk', '["/3323/0/5700"]', false, 112, NULL, '2026-11-28 06:57:59.78+00');
INSERT INTO public.observations VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', '0000000316355e7e', 'default', 'f5zCyxtF2QdySssk', '["/3/0/9"]', false, 112, NULL, '2026-11-28 06:57:59.802+00');
INSERT INTO public.observations VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', '0000000417035f67', 'default', 'f5zCyxtF2QdySssk', '["/3/0/13"]', false, 112, NULL, '2026-11-28 06:58:07.073+00');
INSERT INTO public.observations VALUES ('3d5626f3-741a-46c4-b65e-abe3eeebe50d', '0000000007a38b11', 'default', '1q_sZLksQXYjhbuI', '["/3303/0/5700"]', false, 112, NULL, '2026-11-28 06:58:09.104+00');
INSERT INTO public.observations VALUES ('3d5626f3-741a-46c4-b65e-abe3eeebe50d', '00000001d461033f', 'default', '1q_sZLksQXYjhbuI', '["/3304/0/5700"]', false, 112, NULL, '2026-11-28 06:58:09.122+00');
INSERT INTO public.observations VALUES ('3d5626f3-741a-46c4-b65e-abe3eeebe50d', '00000002241f6011', 'default', '1q_sZLksQXYjhbuI', '["/3323/0/5700"]', false, 112, NULL, '2026-11-28 06:58:09.141+00');
INSERT INTO public.observations VALUES ('3d5626f3-741a-46c4-b65e-abe3eeebe50d', '000000034bf51561', 'default', '1q_sZLksQXYjhbuI', '["/3/0/9"]', false, 112, NULL, '2026-11-28 06:58:09.157+00');

INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (1, 'f69fa5ca-eac6-4ec2-aa3a-148e9ebd6654', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'status', '{"at": "2026-11-28T06:57:59.648Z", "reason": "registered", "status": "online", "endpoint": "urn:imei:1", "event_id": "f69fa5ca-eac6-4ec2-aa3a-148e9ebd6654", "previous": null, "device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "last_seen": "2026-11-28T06:57:59.648Z", "tenant_id": "default"}', '2026-11-28 06:57:59.664+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (2, '8eab602f-ae5a-417f-b1e7-d336265c5d59', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:57:59.699Z", "string_values": {}, "numeric_values": {"temperature": 21.5}}', '2026-11-28 06:57:59.721+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (3, '5ba132fe-001e-4920-a53b-c66b7def368e', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:57:59.738Z", "string_values": {}, "numeric_values": {"humidity": 45}}', '2026-11-28 06:57:59.749+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (4, 'a9514574-ab40-44f7-a03e-c8f00b1505bc', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:57:59.766Z", "string_values": {}, "numeric_values": {"pressure": 101325}}', '2026-11-28 06:57:59.777+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (5, 'ea0333a7-825d-4319-99ab-d17267d6dc73', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:57:59.792Z", "string_values": {}, "numeric_values": {"battery_level": 90}}', '2026-11-28 06:57:59.798+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (6, '0d90d5d9-0c33-4dec-a477-0e605011d1ee', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:00.612Z", "string_values": {}, "numeric_values": {"temperature": 21.21}}', '2026-11-28 06:58:00.623+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (7, '78a0ed04-ee89-4fe3-928b-ec0f9fb5f50a', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:00.616Z", "string_values": {}, "numeric_values": {"humidity": 45.6}}', '2026-11-28 06:58:00.635+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (8, '83e10690-d2b4-4b2e-be6a-23541dddf60a', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:00.617Z", "string_values": {}, "numeric_values": {"battery_level": 89}}', '2026-11-28 06:58:00.635+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (9, '3b00cdee-3676-493b-9212-0f092634be67', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:01.619Z", "string_values": {}, "numeric_values": {"temperature": 20.94}}', '2026-11-28 06:58:01.632+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (10, 'a23c82eb-3150-4df2-ab3c-c2b0f43f9050', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:01.624Z", "string_values": {}, "numeric_values": {"humidity": 46.4}}', '2026-11-28 06:58:01.642+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (11, 'a68acc5b-e272-4c1b-9bd1-56c094f4c360', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:01.625Z", "string_values": {}, "numeric_values": {"pressure": 101339}}', '2026-11-28 06:58:01.642+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (12, '4bcd3299-99a8-4ed4-baba-27a6f9b13d6e', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:02.617Z", "string_values": {}, "numeric_values": {"temperature": 21.08}}', '2026-11-28 06:58:02.623+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (13, '6f5b98aa-0dc8-4fcd-a595-a3f14ab09b4c', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:02.619Z", "string_values": {}, "numeric_values": {"humidity": 46.8}}', '2026-11-28 06:58:02.627+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (14, 'aa31f0e9-98de-4633-ad15-3b5623300d93', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:02.620Z", "string_values": {}, "numeric_values": {"pressure": 101329}}', '2026-11-28 06:58:02.627+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (15, '31ce1d11-d552-4746-9fee-83d1510b2ad2', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:03.621Z", "string_values": {}, "numeric_values": {"temperature": 21.21}}', '2026-11-28 06:58:03.63+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (16, '62ecb2aa-356a-4020-a932-322b7414a79a', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:03.622Z", "string_values": {}, "numeric_values": {"humidity": 47.5}}', '2026-11-28 06:58:03.639+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (17, 'd055d7ea-4b44-475b-8894-2b9b2b5c3f82', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:03.623Z", "string_values": {}, "numeric_values": {"pressure": 101325}}', '2026-11-28 06:58:03.639+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (18, '764cb203-9d54-486d-be79-f14342a1f428', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:04.621Z", "string_values": {}, "numeric_values": {"temperature": 21.28}}', '2026-11-28 06:58:04.627+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (19, 'eb09ba16-fd78-4d9c-8820-1c8df207aa0d', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:04.622Z", "string_values": {}, "numeric_values": {"humidity": 47.3}}', '2026-11-28 06:58:04.633+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (20, '1a9a3e63-51a5-4377-b0b6-aef15cc30f98', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:04.623Z", "string_values": {}, "numeric_values": {"pressure": 101320}}', '2026-11-28 06:58:04.633+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (21, 'ba159627-ad65-4ea8-88a0-647ceb0a2d06', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:05.623Z", "string_values": {}, "numeric_values": {"temperature": 21.45}}', '2026-11-28 06:58:05.636+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (22, 'b600c7c9-13d6-43b9-afe0-5be74f5dbf9c', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:05.628Z", "string_values": {}, "numeric_values": {"humidity": 47.2}}', '2026-11-28 06:58:05.648+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (23, 'f3177503-34a7-48a5-997a-7423629fdb84', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:05.628Z", "string_values": {}, "numeric_values": {"pressure": 101335}}', '2026-11-28 06:58:05.648+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (24, '8c4541f0-7261-4c89-8f8b-0fde057d0bff', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:06.667Z", "string_values": {}, "numeric_values": {"temperature": 21.47}}', '2026-11-28 06:58:06.685+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (25, '42b46a65-6765-4a62-9992-e0e8556268bf', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:06.668Z", "string_values": {}, "numeric_values": {"humidity": 47.6}}', '2026-11-28 06:58:06.698+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (26, '20f5f4f8-6de0-4051-a25e-aae614afe8ff', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:06.668Z", "string_values": {}, "numeric_values": {"pressure": 101323}}', '2026-11-28 06:58:06.698+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (27, 'c0e519dd-306c-47a2-80b6-7cd4772c265c', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:06.859Z", "string_values": {}, "numeric_values": {"battery_level": 89}}', '2026-11-28 06:58:06.878+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (29, '73764092-f048-412e-baad-c3346a79d1a9', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:07.628Z", "string_values": {}, "numeric_values": {"temperature": 21.62}}', '2026-11-28 06:58:07.635+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (30, '56d95beb-9362-40ce-9229-581819c47add', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:07.637Z", "string_values": {}, "numeric_values": {"pressure": 101316}}', '2026-11-28 06:58:07.643+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (31, '3eba6c42-c66f-4468-8316-cf7c0605089c', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:08.627Z", "string_values": {}, "numeric_values": {"temperature": 21.91}}', '2026-11-28 06:58:08.633+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (32, '36619ca2-6a66-404e-a144-4090707eff8f', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:08.628Z", "string_values": {}, "numeric_values": {"humidity": 46.8}}', '2026-11-28 06:58:08.64+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (33, 'fcf7ecff-4df0-4e94-9f94-7cec7643ae21', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:08.628Z", "string_values": {}, "numeric_values": {"pressure": 101306}}', '2026-11-28 06:58:08.64+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (34, '4684e442-c072-483c-a737-476f454d67e9', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'status', '{"at": "2026-11-28T06:58:09.069Z", "reason": "registered", "status": "online", "endpoint": "urn:batch:1", "event_id": "4684e442-c072-483c-a737-476f454d67e9", "previous": null, "device_id": "3d5626f3-741a-46c4-b65e-abe3eeebe50d", "last_seen": "2026-11-28T06:58:09.069Z", "tenant_id": "default"}', '2026-11-28 06:58:09.076+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (35, 'f2f3a141-3dc6-4155-9955-5309a2e47f57', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'telemetry', '{"device_id": "3d5626f3-741a-46c4-b65e-abe3eeebe50d", "tenant_id": "default", "timestamp": "2026-11-28T06:58:09.094Z", "string_values": {}, "numeric_values": {"temperature": 21.5}}', '2026-11-28 06:58:09.103+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (36, '0d38b3b6-ee26-4c6f-a22c-067a6e0b89e7', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'telemetry', '{"device_id": "3d5626f3-741a-46c4-b65e-abe3eeebe50d", "tenant_id": "default", "timestamp": "2026-11-28T06:58:09.113Z", "string_values": {}, "numeric_values": {"humidity": 45}}', '2026-11-28 06:58:09.12+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (37, 'bbbcc66f-79d4-4ce6-b13e-f645042ab95b', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'telemetry', '{"device_id": "3d5626f3-741a-46c4-b65e-abe3eeebe50d", "tenant_id": "default", "timestamp": "2026-11-28T06:58:09.133Z", "string_values": {}, "numeric_values": {"pressure": 101325}}', '2026-11-28 06:58:09.138+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (38, '95c7da81-ac2a-4a0d-93ce-e9296ad911fc', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'telemetry', '{"device_id": "3d5626f3-741a-46c4-b65e-abe3eeebe50d", "tenant_id": "default", "timestamp": "2026-11-28T06:58:09.151Z", "string_values": {}, "numeric_values": {"battery_level": 90}}', '2026-11-28 06:58:09.156+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (39, '5de00b63-9c01-4395-89c7-d2a9981c6619', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:09.629Z", "string_values": {}, "numeric_values": {"temperature": 21.79}}', '2026-11-28 06:58:09.635+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (40, '95900775-00a9-4f46-8949-26d6bfa63e1f', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:09.631Z", "string_values": {}, "numeric_values": {"humidity": 46.4}}', '2026-11-28 06:58:09.643+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (41, '54cc6d65-7e47-4384-a854-5a3ce9514213', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:09.631Z", "string_values": {}, "numeric_values": {"pressure": 101316}}', '2026-11-28 06:58:09.643+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (42, '2741a201-506f-42f0-b6e9-8ce792c86e8d', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:10.630Z", "string_values": {}, "numeric_values": {"temperature": 21.52}}', '2026-11-28 06:58:10.64+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (43, '91a1c62d-d0a4-4d2a-bfc5-b62472045c26', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:10.636Z", "string_values": {}, "numeric_values": {"humidity": 46.3}}', '2026-11-28 06:58:10.649+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (44, 'c87c6510-f758-4b54-9d8d-c67e7d6b5e21', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:10.637Z", "string_values": {}, "numeric_values": {"pressure": 101320}}', '2026-11-28 06:58:10.649+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (45, 'feb4af8e-f0f5-4448-905f-60d055c96ed7', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:10.637Z", "string_values": {}, "numeric_values": {"battery_level": 88}}', '2026-11-28 06:58:10.649+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (46, '639b64cd-70bb-4d06-a9ff-25e20b64b005', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:11.632Z", "string_values": {}, "numeric_values": {"temperature": 21.25}}', '2026-11-28 06:58:11.638+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (47, 'efd12410-d937-4f24-99c0-5ac7a3017ca2', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:11.633Z", "string_values": {}, "numeric_values": {"humidity": 46.4}}', '2026-11-28 06:58:11.644+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (48, '49ba2321-bff4-47a5-bcb9-b721974acf02', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:11.633Z", "string_values": {}, "numeric_values": {"pressure": 101321}}', '2026-11-28 06:58:11.644+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (49, '5d941af9-2f85-4615-bb7d-d7992105547c', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:11.633Z", "string_values": {}, "numeric_values": {"battery_level": 87}}', '2026-11-28 06:58:11.644+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (50, '2be79d15-372c-4786-93c7-c0eba35fc61d', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:12.636Z", "string_values": {}, "numeric_values": {"temperature": 21.02}}', '2026-11-28 06:58:12.64+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (51, '6abd8362-76b5-4f31-8bb8-1c214cb2ff67', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:12.636Z", "string_values": {}, "numeric_values": {"humidity": 46.2}}', '2026-11-28 06:58:12.648+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (52, '423edfa5-7d3d-484e-a197-2fe9ea3b1117', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:12.637Z", "string_values": {}, "numeric_values": {"pressure": 101315}}', '2026-11-28 06:58:12.648+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (53, '4cad5788-c4a5-431a-8cc0-17730acec250', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:13.637Z", "string_values": {}, "numeric_values": {"temperature": 21.05}}', '2026-11-28 06:58:13.643+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (28, '0a9a3616-5afd-4293-8c16-c154d405ab85', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:06.956Z", "string_values": {}, "numeric_values": {"battery_level": 89}}', '2026-11-28 06:58:06.97+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (54, '4fc0cc49-10f3-43c0-9e19-2a710ed6ad17', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:13.638Z", "string_values": {}, "numeric_values": {"humidity": 45.4}}', '2026-11-28 06:58:13.649+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (55, '31813845-86da-46d3-9e41-cfb83d39a579', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:13.638Z", "string_values": {}, "numeric_values": {"pressure": 101317}}', '2026-11-28 06:58:13.649+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (56, 'c9143abf-29bc-4608-bfa5-014a7dc78570', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'telemetry', '{"device_id": "3d5626f3-741a-46c4-b65e-abe3eeebe50d", "tenant_id": "default", "timestamp": "2026-11-28T06:58:14.051Z", "string_values": {}, "numeric_values": {"temperature": 21.27}}', '2026-11-28 06:58:14.059+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (57, '041606bf-a4c1-42ff-97fa-e742925150cc', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'telemetry', '{"device_id": "3d5626f3-741a-46c4-b65e-abe3eeebe50d", "tenant_id": "default", "timestamp": "2026-11-28T06:58:14.056Z", "string_values": {}, "numeric_values": {"humidity": 44.4}}', '2026-11-28 06:58:14.065+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (58, '68f02e62-1e98-4f87-ba28-f9ff35a32caa', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'telemetry', '{"device_id": "3d5626f3-741a-46c4-b65e-abe3eeebe50d", "tenant_id": "default", "timestamp": "2026-11-28T06:58:14.056Z", "string_values": {}, "numeric_values": {"pressure": 101319}}', '2026-11-28 06:58:14.065+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (59, 'b67123ea-1fcc-48b4-8ed1-7c4c46db401b', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:14.637Z", "string_values": {}, "numeric_values": {"temperature": 21.28}}', '2026-11-28 06:58:14.645+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (60, '9dc1dab3-8dec-444b-83e5-f262cd28b8f4', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:14.639Z", "string_values": {}, "numeric_values": {"humidity": 45.8}}', '2026-11-28 06:58:14.66+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (61, '17fd101e-d29c-4eec-a6b2-ca33c60b5852', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:14.642Z", "string_values": {}, "numeric_values": {"pressure": 101311}}', '2026-11-28 06:58:14.66+00');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (62, '060599df-73e9-4c57-a1e7-80d29f6cc364', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'telemetry', '{"device_id": "7a6ea838-ee43-4c2f-90b6-205352c905d9", "tenant_id": "default", "timestamp": "2026-11-28T06:58:14.642Z", "string_values": {}, "numeric_values": {"battery_level": 86}}', '2026-11-28 06:58:14.66+00');

INSERT INTO public.profiles VALUES ('e86f2c2c-df96-4e14-ab6d-b3bd36e0f525', 'default', 'Default', true, '[{"path":"/3303/0/5700","metric":"temperature"},{"path":"/3304/0/5700","metric":"humidity"},{"path":"/3323/0/5700","metric":"pressure"},{"path":"/3/0/9","metric":"battery_level"}]', '[{"name":"reboot","operation":"EXECUTE","path":"/3/0/4"},{"name":"factory_reset","operation":"EXECUTE","path":"/3/0/5"}]', NULL, NULL, '2026-11-28 06:57:58.247+00', '2026-11-28 06:57:58.247+00');

INSERT INTO public.registrations VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 'default', 'f5zCyxtF2QdySssk', '1.1', 300, 'U', false, NULL, '{}', '/', '{60,110,112,11542}', '[{"objectId":1,"version":"1.1","instanceIds":[0]},{"objectId":3,"version":"1.1","instanceIds":[0]},{"objectId":5,"version":"1.0","instanceIds":[0]},{"objectId":3303,"version":"1.1","instanceIds":[0]},{"objectId":3304,"version":"1.1","instanceIds":[0]},{"objectId":3323,"version":"1.1","instanceIds":[0]}]', '{1,3,5,3303,3304,3323}', '{}', '{"key":"127.0.0.1:52403","address":"127.0.0.1","port":52403,"security":null,"socket":{"_events":{},"_eventsCount":2,"type":"udp4"}}', 'udp', '2026-11-28 06:57:59.648+00', '2026-11-28 06:57:59.648+00', '2026-11-28 07:02:59.648+00');
INSERT INTO public.registrations VALUES ('3d5626f3-741a-46c4-b65e-abe3eeebe50d', 'default', '1q_sZLksQXYjhbuI', '1.1', 86400, 'U', false, NULL, '{}', '/', '{60,110,112,11542}', '[{"objectId":1,"version":"1.1","instanceIds":[0]},{"objectId":3,"version":"1.1","instanceIds":[0]},{"objectId":5,"version":"1.0","instanceIds":[0]},{"objectId":3303,"version":"1.1","instanceIds":[0]},{"objectId":3304,"version":"1.1","instanceIds":[0]},{"objectId":3323,"version":"1.1","instanceIds":[0]}]', '{1,3,5,3303,3304,3323}', '{}', '{"key":"00c1fe8ba97313f4","address":"127.0.0.1","port":44048,"security":{"kind":"psk","name":"urn:batch:1#f2f03855","credential":"fa24c0a0-2af6-46f0-aaf9-14e203c33506"}}', 'dtls', '2026-11-28 06:58:09.069+00', '2026-11-28 06:58:09.069+00', '2026-11-29 06:58:09.069+00');

INSERT INTO public.resource_values VALUES ('3d5626f3-741a-46c4-b65e-abe3eeebe50d', 3, 0, 9, -1, 'default', 'Integer', false, '90', '2026-11-28 06:58:09.151+00', 'NOTIFICATION');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 0, -1, 'default', 'String', false, '"Treeline"', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 1, -1, 'default', 'String', false, '"Simulated device"', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 2, -1, 'default', 'String', false, '"urn:imei:1"', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 3, -1, 'default', 'String', false, '"1.0.0"', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 6, 0, 'default', 'Integer', false, '1', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 6, 1, 'default', 'Integer', false, '5', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 7, 0, 'default', 'Integer', false, '3800', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 7, 1, 'default', 'Integer', false, '5000', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 8, 0, 'default', 'Integer', false, '125', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 8, 1, 'default', 'Integer', false, '900', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 10, -1, 'default', 'Integer', false, '15360', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 11, 0, 'default', 'Integer', false, '0', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 14, -1, 'default', 'String', false, '"+00:00"', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 15, -1, 'default', 'String', false, '"Etc/UTC"', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 16, -1, 'default', 'String', false, '"U"', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 17, -1, 'default', 'String', false, '"simulated"', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 18, -1, 'default', 'String', false, '"1.0"', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 19, -1, 'default', 'String', false, '"1.0.0"', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 20, -1, 'default', 'Integer', false, '0', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 21, -1, 'default', 'Integer', false, '65536', '2026-11-28 06:58:06.956+00', 'READ');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 13, -1, 'default', 'Time', false, '"2026-11-28T06:58:07Z"', '2026-11-28 06:58:07.066+00', 'NOTIFICATION');
INSERT INTO public.resource_values VALUES ('3d5626f3-741a-46c4-b65e-abe3eeebe50d', 3303, 0, 5700, -1, 'default', 'Float', false, '21.27', '2026-11-28 06:58:14.051+00', 'NOTIFICATION');
INSERT INTO public.resource_values VALUES ('3d5626f3-741a-46c4-b65e-abe3eeebe50d', 3304, 0, 5700, -1, 'default', 'Float', false, '44.4', '2026-11-28 06:58:14.056+00', 'NOTIFICATION');
INSERT INTO public.resource_values VALUES ('3d5626f3-741a-46c4-b65e-abe3eeebe50d', 3323, 0, 5700, -1, 'default', 'Float', false, '101319', '2026-11-28 06:58:14.056+00', 'NOTIFICATION');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3303, 0, 5700, -1, 'default', 'Float', false, '21.28', '2026-11-28 06:58:14.637+00', 'NOTIFICATION');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3, 0, 9, -1, 'default', 'Integer', false, '86', '2026-11-28 06:58:14.642+00', 'NOTIFICATION');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3304, 0, 5700, -1, 'default', 'Float', false, '45.8', '2026-11-28 06:58:14.639+00', 'NOTIFICATION');
INSERT INTO public.resource_values VALUES ('7a6ea838-ee43-4c2f-90b6-205352c905d9', 3323, 0, 5700, -1, 'default', 'Float', false, '101311', '2026-11-28 06:58:14.642+00', 'NOTIFICATION');

INSERT INTO public.rpc_transitions VALUES ('3eed084e-6c98-4aa0-82c9-7e439c33d077', 0, 'default', NULL, 'QUEUED', '2026-11-28 06:58:06.842+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('3eed084e-6c98-4aa0-82c9-7e439c33d077', 1, 'default', 'QUEUED', 'SENT', '2026-11-28 06:58:06.852+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('3eed084e-6c98-4aa0-82c9-7e439c33d077', 2, 'default', 'SENT', 'DELIVERED', '2026-11-28 06:58:06.859+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('3eed084e-6c98-4aa0-82c9-7e439c33d077', 3, 'default', 'DELIVERED', 'SUCCESSFUL', '2026-11-28 06:58:06.882+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('9e6e6ec8-e383-4c18-a9d6-0a75c0a5690f', 0, 'default', NULL, 'QUEUED', '2026-11-28 06:58:06.948+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('9e6e6ec8-e383-4c18-a9d6-0a75c0a5690f', 1, 'default', 'QUEUED', 'SENT', '2026-11-28 06:58:06.953+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('9e6e6ec8-e383-4c18-a9d6-0a75c0a5690f', 2, 'default', 'SENT', 'DELIVERED', '2026-11-28 06:58:06.956+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('9e6e6ec8-e383-4c18-a9d6-0a75c0a5690f', 3, 'default', 'DELIVERED', 'SUCCESSFUL', '2026-11-28 06:58:06.973+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('227950c7-d9ca-4796-8b4d-3f5e63b77a55', 0, 'default', NULL, 'QUEUED', '2026-11-28 06:58:07.053+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('227950c7-d9ca-4796-8b4d-3f5e63b77a55', 1, 'default', 'QUEUED', 'SENT', '2026-11-28 06:58:07.063+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('227950c7-d9ca-4796-8b4d-3f5e63b77a55', 2, 'default', 'SENT', 'DELIVERED', '2026-11-28 06:58:07.066+00', NULL);
INSERT INTO public.rpc_transitions VALUES ('227950c7-d9ca-4796-8b4d-3f5e63b77a55', 3, 'default', 'DELIVERED', 'SUCCESSFUL', '2026-11-28 06:58:07.09+00', NULL);

INSERT INTO public.rpcs OVERRIDING SYSTEM VALUE VALUES ('3eed084e-6c98-4aa0-82c9-7e439c33d077', 1, 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'read', '{"paths":["/3/0"],"withoutAccept":false}', NULL, 'TWO_WAY', 'SUCCESSFUL', 1, 30000, 'admin-token', '2026-11-28 06:58:06.842+00', '2026-11-28 06:58:06.852+00', '2026-11-28 06:58:06.882+00', NULL, NULL, '{"code":"2.05","contentFormat":112,"values":[{"path":"/3/0/0","type":"String","value":"Treeline","time":null},{"path":"/3/0/1","type":"String","value":"Simulated device","time":null},{"path":"/3/0/2","type":"String","value":"urn:imei:1","time":null},{"path":"/3/0/3","type":"String","value":"1.0.0","time":null},{"path":"/3/0/6/0","type":"Integer","value":1,"time":null},{"path":"/3/0/6/1","type":"Integer","value":5,"time":null},{"path":"/3/0/7/0","type":"Integer","value":3800,"time":null},{"path":"/3/0/7/1","type":"Integer","value":5000,"time":null},{"path":"/3/0/8/0","type":"Integer","value":125,"time":null},{"path":"/3/0/8/1","type":"Integer","value":900,"time":null},{"path":"/3/0/9","type":"Integer","value":89,"time":null},{"path":"/3/0/10","type":"Integer","value":15360,"time":null},{"path":"/3/0/11/0","type":"Integer","value":0,"time":null},{"path":"/3/0/13","type":"Time","value":"2026-11-28T06:58:06Z","time":null},{"path":"/3/0/14","type":"String","value":"+00:00","time":null},{"path":"/3/0/15","type":"String","value":"Etc/UTC","time":null},{"path":"/3/0/16","type":"String","value":"U","time":null},{"path":"/3/0/17","type":"String","value":"simulated","time":null},{"path":"/3/0/18","type":"String","value":"1.0","time":null},{"path":"/3/0/19","type":"String","value":"1.0.0","time":null},{"path":"/3/0/20","type":"Integer","value":0,"time":null},{"path":"/3/0/21","type":"Integer","value":65536,"time":null}],"links":null,"createdInstanceId":null}', NULL);
INSERT INTO public.rpcs OVERRIDING SYSTEM VALUE VALUES ('9e6e6ec8-e383-4c18-a9d6-0a75c0a5690f', 2, 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'read', '{"paths":["/3/0"],"withoutAccept":false}', NULL, 'TWO_WAY', 'SUCCESSFUL', 1, 30000, 'admin-token', '2026-11-28 06:58:06.948+00', '2026-11-28 06:58:06.953+00', '2026-11-28 06:58:06.973+00', NULL, 'key-1', '{"code":"2.05","contentFormat":112,"values":[{"path":"/3/0/0","type":"String","value":"Treeline","time":null},{"path":"/3/0/1","type":"String","value":"Simulated device","time":null},{"path":"/3/0/2","type":"String","value":"urn:imei:1","time":null},{"path":"/3/0/3","type":"String","value":"1.0.0","time":null},{"path":"/3/0/6/0","type":"Integer","value":1,"time":null},{"path":"/3/0/6/1","type":"Integer","value":5,"time":null},{"path":"/3/0/7/0","type":"Integer","value":3800,"time":null},{"path":"/3/0/7/1","type":"Integer","value":5000,"time":null},{"path":"/3/0/8/0","type":"Integer","value":125,"time":null},{"path":"/3/0/8/1","type":"Integer","value":900,"time":null},{"path":"/3/0/9","type":"Integer","value":89,"time":null},{"path":"/3/0/10","type":"Integer","value":15360,"time":null},{"path":"/3/0/11/0","type":"Integer","value":0,"time":null},{"path":"/3/0/13","type":"Time","value":"2026-11-28T06:58:06Z","time":null},{"path":"/3/0/14","type":"String","value":"+00:00","time":null},{"path":"/3/0/15","type":"String","value":"Etc/UTC","time":null},{"path":"/3/0/16","type":"String","value":"U","time":null},{"path":"/3/0/17","type":"String","value":"simulated","time":null},{"path":"/3/0/18","type":"String","value":"1.0","time":null},{"path":"/3/0/19","type":"String","value":"1.0.0","time":null},{"path":"/3/0/20","type":"Integer","value":0,"time":null},{"path":"/3/0/21","type":"Integer","value":65536,"time":null}],"links":null,"createdInstanceId":null}', NULL);
INSERT INTO public.rpcs OVERRIDING SYSTEM VALUE VALUES ('227950c7-d9ca-4796-8b4d-3f5e63b77a55', 3, 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', 'observe', '{"paths":["/3/0/13"]}', NULL, 'TWO_WAY', 'SUCCESSFUL', 1, 30000, 'admin-token', '2026-11-28 06:58:07.053+00', '2026-11-28 06:58:07.063+00', '2026-11-28 06:58:07.09+00', NULL, NULL, '{"code":"2.05","contentFormat":112,"values":[{"path":"/3/0/13","type":"Time","value":"2026-11-28T06:58:07Z","time":null}],"links":null,"createdInstanceId":null}', NULL);

INSERT INTO public.settings VALUES ('admin_token_hash', '"0ac2983b9adb4bbc37cfe31feb10923a4c0d8fb3747a45607500d0ec233af7a1"');

INSERT INTO public.telemetry_points VALUES ('8eab602f-ae5a-417f-b1e7-d336265c5d59', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:57:59.699+00', '{"temperature": 21.5}', '{}', '2026-11-28 06:57:59.699+00');
INSERT INTO public.telemetry_points VALUES ('5ba132fe-001e-4920-a53b-c66b7def368e', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:57:59.738+00', '{"humidity": 45}', '{}', '2026-11-28 06:57:59.738+00');
INSERT INTO public.telemetry_points VALUES ('a9514574-ab40-44f7-a03e-c8f00b1505bc', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:57:59.766+00', '{"pressure": 101325}', '{}', '2026-11-28 06:57:59.766+00');
INSERT INTO public.telemetry_points VALUES ('ea0333a7-825d-4319-99ab-d17267d6dc73', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:57:59.792+00', '{"battery_level": 90}', '{}', '2026-11-28 06:57:59.792+00');
INSERT INTO public.telemetry_points VALUES ('0d90d5d9-0c33-4dec-a477-0e605011d1ee', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:00.612+00', '{"temperature": 21.21}', '{}', '2026-11-28 06:58:00.612+00');
INSERT INTO public.telemetry_points VALUES ('78a0ed04-ee89-4fe3-928b-ec0f9fb5f50a', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:00.616+00', '{"humidity": 45.6}', '{}', '2026-11-28 06:58:00.616+00');
INSERT INTO public.telemetry_points VALUES ('83e10690-d2b4-4b2e-be6a-23541dddf60a', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:00.617+00', '{"battery_level": 89}', '{}', '2026-11-28 06:58:00.617+00');
INSERT INTO public.telemetry_points VALUES ('3b00cdee-3676-493b-9212-0f092634be67', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:01.619+00', '{"temperature": 20.94}', '{}', '2026-11-28 06:58:01.619+00');
INSERT INTO public.telemetry_points VALUES ('a23c82eb-3150-4df2-ab3c-c2b0f43f9050', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:01.624+00', '{"humidity": 46.4}', '{}', '2026-11-28 06:58:01.624+00');
INSERT INTO public.telemetry_points VALUES ('a68acc5b-e272-4c1b-9bd1-56c094f4c360', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:01.625+00', '{"pressure": 101339}', '{}', '2026-11-28 06:58:01.625+00');
INSERT INTO public.telemetry_points VALUES ('4bcd3299-99a8-4ed4-baba-27a6f9b13d6e', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:02.617+00', '{"temperature": 21.08}', '{}', '2026-11-28 06:58:02.617+00');
INSERT INTO public.telemetry_points VALUES ('6f5b98aa-0dc8-4fcd-a595-a3f14ab09b4c', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:02.619+00', '{"humidity": 46.8}', '{}', '2026-11-28 06:58:02.619+00');
INSERT INTO public.telemetry_points VALUES ('aa31f0e9-98de-4633-ad15-3b5623300d93', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:02.62+00', '{"pressure": 101329}', '{}', '2026-11-28 06:58:02.62+00');
INSERT INTO public.telemetry_points VALUES ('31ce1d11-d552-4746-9fee-83d1510b2ad2', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:03.621+00', '{"temperature": 21.21}', '{}', '2026-11-28 06:58:03.621+00');
INSERT INTO public.telemetry_points VALUES ('62ecb2aa-356a-4020-a932-322b7414a79a', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:03.622+00', '{"humidity": 47.5}', '{}', '2026-11-28 06:58:03.622+00');
INSERT INTO public.telemetry_points VALUES ('d055d7ea-4b44-475b-8894-2b9b2b5c3f82', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:03.623+00', '{"pressure": 101325}', '{}', '2026-11-28 06:58:03.623+00');
INSERT INTO public.telemetry_points VALUES ('764cb203-9d54-486d-be79-f14342a1f428', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:04.621+00', '{"temperature": 21.28}', '{}', '2026-11-28 06:58:04.621+00');
INSERT INTO public.telemetry_points VALUES ('eb09ba16-fd78-4d9c-8820-1c8df207aa0d', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:04.622+00', '{"humidity": 47.3}', '{}', '2026-11-28 06:58:04.622+00');
INSERT INTO public.telemetry_points VALUES ('1a9a3e63-51a5-4377-b0b6-aef15cc30f98', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:04.623+00', '{"pressure": 101320}', '{}', '2026-11-28 06:58:04.623+00');
INSERT INTO public.telemetry_points VALUES ('ba159627-ad65-4ea8-88a0-647ceb0a2d06', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:05.623+00', '{"temperature": 21.45}', '{}', '2026-11-28 06:58:05.623+00');
INSERT INTO public.telemetry_points VALUES ('b600c7c9-13d6-43b9-afe0-5be74f5dbf9c', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:05.628+00', '{"humidity": 47.2}', '{}', '2026-11-28 06:58:05.628+00');
INSERT INTO public.telemetry_points VALUES ('f3177503-34a7-48a5-997a-7423629fdb84', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:05.628+00', '{"pressure": 101335}', '{}', '2026-11-28 06:58:05.628+00');
INSERT INTO public.telemetry_points VALUES ('8c4541f0-7261-4c89-8f8b-0fde057d0bff', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:06.667+00', '{"temperature": 21.47}', '{}', '2026-11-28 06:58:06.667+00');
INSERT INTO public.telemetry_points VALUES ('42b46a65-6765-4a62-9992-e0e8556268bf', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:06.668+00', '{"humidity": 47.6}', '{}', '2026-11-28 06:58:06.668+00');
INSERT INTO public.telemetry_points VALUES ('20f5f4f8-6de0-4051-a25e-aae614afe8ff', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:06.668+00', '{"pressure": 101323}', '{}', '2026-11-28 06:58:06.668+00');
INSERT INTO public.telemetry_points VALUES ('c0e519dd-306c-47a2-80b6-7cd4772c265c', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:06.859+00', '{"battery_level": 89}', '{}', '2026-11-28 06:58:06.859+00');
INSERT INTO public.telemetry_points VALUES ('0a9a3616-5afd-4293-8c16-c154d405ab85', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:06.956+00', '{"battery_level": 89}', '{}', '2026-11-28 06:58:06.956+00');
INSERT INTO public.telemetry_points VALUES ('73764092-f048-412e-baad-c3346a79d1a9', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:07.628+00', '{"temperature": 21.62}', '{}', '2026-11-28 06:58:07.628+00');
INSERT INTO public.telemetry_points VALUES ('56d95beb-9362-40ce-9229-581819c47add', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:07.637+00', '{"pressure": 101316}', '{}', '2026-11-28 06:58:07.637+00');
INSERT INTO public.telemetry_points VALUES ('3eba6c42-c66f-4468-8316-cf7c0605089c', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:08.627+00', '{"temperature": 21.91}', '{}', '2026-11-28 06:58:08.627+00');
INSERT INTO public.telemetry_points VALUES ('36619ca2-6a66-404e-a144-4090707eff8f', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:08.628+00', '{"humidity": 46.8}', '{}', '2026-11-28 06:58:08.628+00');
INSERT INTO public.telemetry_points VALUES ('fcf7ecff-4df0-4e94-9f94-7cec7643ae21', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:08.628+00', '{"pressure": 101306}', '{}', '2026-11-28 06:58:08.628+00');
INSERT INTO public.telemetry_points VALUES ('f2f3a141-3dc6-4155-9955-5309a2e47f57', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', '2026-11-28 06:58:09.094+00', '{"temperature": 21.5}', '{}', '2026-11-28 06:58:09.094+00');
INSERT INTO public.telemetry_points VALUES ('0d38b3b6-ee26-4c6f-a22c-067a6e0b89e7', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', '2026-11-28 06:58:09.113+00', '{"humidity": 45}', '{}', '2026-11-28 06:58:09.113+00');
INSERT INTO public.telemetry_points VALUES ('bbbcc66f-79d4-4ce6-b13e-f645042ab95b', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', '2026-11-28 06:58:09.133+00', '{"pressure": 101325}', '{}', '2026-11-28 06:58:09.133+00');
INSERT INTO public.telemetry_points VALUES ('95c7da81-ac2a-4a0d-93ce-e9296ad911fc', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', '2026-11-28 06:58:09.151+00', '{"battery_level": 90}', '{}', '2026-11-28 06:58:09.151+00');
INSERT INTO public.telemetry_points VALUES ('5de00b63-9c01-4395-89c7-d2a9981c6619', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:09.629+00', '{"temperature": 21.79}', '{}', '2026-11-28 06:58:09.629+00');
INSERT INTO public.telemetry_points VALUES ('95900775-00a9-4f46-8949-26d6bfa63e1f', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:09.631+00', '{"humidity": 46.4}', '{}', '2026-11-28 06:58:09.631+00');
INSERT INTO public.telemetry_points VALUES ('54cc6d65-7e47-4384-a854-5a3ce9514213', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:09.631+00', '{"pressure": 101316}', '{}', '2026-11-28 06:58:09.631+00');
INSERT INTO public.telemetry_points VALUES ('2741a201-506f-42f0-b6e9-8ce792c86e8d', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:10.63+00', '{"temperature": 21.52}', '{}', '2026-11-28 06:58:10.63+00');
INSERT INTO public.telemetry_points VALUES ('91a1c62d-d0a4-4d2a-bfc5-b62472045c26', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:10.636+00', '{"humidity": 46.3}', '{}', '2026-11-28 06:58:10.636+00');
INSERT INTO public.telemetry_points VALUES ('c87c6510-f758-4b54-9d8d-c67e7d6b5e21', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:10.637+00', '{"pressure": 101320}', '{}', '2026-11-28 06:58:10.637+00');
INSERT INTO public.telemetry_points VALUES ('feb4af8e-f0f5-4448-905f-60d055c96ed7', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:10.637+00', '{"battery_level": 88}', '{}', '2026-11-28 06:58:10.637+00');
INSERT INTO public.telemetry_points VALUES ('639b64cd-70bb-4d06-a9ff-25e20b64b005', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:11.632+00', '{"temperature": 21.25}', '{}', '2026-11-28 06:58:11.632+00');
INSERT INTO public.telemetry_points VALUES ('efd12410-d937-4f24-99c0-5ac7a3017ca2', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:11.633+00', '{"humidity": 46.4}', '{}', '2026-11-28 06:58:11.633+00');
INSERT INTO public.telemetry_points VALUES ('49ba2321-bff4-47a5-bcb9-b721974acf02', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:11.633+00', '{"pressure": 101321}', '{}', '2026-11-28 06:58:11.633+00');
INSERT INTO public.telemetry_points VALUES ('5d941af9-2f85-4615-bb7d-d7992105547c', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:11.633+00', '{"battery_level": 87}', '{}', '2026-11-28 06:58:11.633+00');
INSERT INTO public.telemetry_points VALUES ('2be79d15-372c-4786-93c7-c0eba35fc61d', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:12.636+00', '{"temperature": 21.02}', '{}', '2026-11-28 06:58:12.636+00');
INSERT INTO public.telemetry_points VALUES ('6abd8362-76b5-4f31-8bb8-1c214cb2ff67', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:12.636+00', '{"humidity": 46.2}', '{}', '2026-11-28 06:58:12.636+00');
INSERT INTO public.telemetry_points VALUES ('423edfa5-7d3d-484e-a197-2fe9ea3b1117', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:12.637+00', '{"pressure": 101315}', '{}', '2026-11-28 06:58:12.637+00');
INSERT INTO public.telemetry_points VALUES ('4cad5788-c4a5-431a-8cc0-17730acec250', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:13.637+00', '{"temperature": 21.05}', '{}', '2026-11-28 06:58:13.637+00');
INSERT INTO public.telemetry_points VALUES ('4fc0cc49-10f3-43c0-9e19-2a710ed6ad17', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:13.638+00', '{"humidity": 45.4}', '{}', '2026-11-28 06:58:13.638+00');
INSERT INTO public.telemetry_points VALUES ('31813845-86da-46d3-9e41-cfb83d39a579', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:13.638+00', '{"pressure": 101317}', '{}', '2026-11-28 06:58:13.638+00');
INSERT INTO public.telemetry_points VALUES ('c9143abf-29bc-4608-bfa5-014a7dc78570', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', '2026-11-28 06:58:14.051+00', '{"temperature": 21.27}', '{}', '2026-11-28 06:58:14.051+00');
INSERT INTO public.telemetry_points VALUES ('041606bf-a4c1-42ff-97fa-e742925150cc', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', '2026-11-28 06:58:14.056+00', '{"humidity": 44.4}', '{}', '2026-11-28 06:58:14.056+00');
INSERT INTO public.telemetry_points VALUES ('68f02e62-1e98-4f87-ba28-f9ff35a32caa', 'default', '3d5626f3-741a-46c4-b65e-abe3eeebe50d', '2026-11-28 06:58:14.056+00', '{"pressure": 101319}', '{}', '2026-11-28 06:58:14.056+00');
INSERT INTO public.telemetry_points VALUES ('b67123ea-1fcc-48b4-8ed1-7c4c46db401b', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:14.637+00', '{"temperature": 21.28}', '{}', '2026-11-28 06:58:14.637+00');
INSERT INTO public.telemetry_points VALUES ('9dc1dab3-8dec-444b-83e5-f262cd28b8f4', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:14.639+00', '{"humidity": 45.8}', '{}', '2026-11-28 06:58:14.639+00');
INSERT INTO public.telemetry_points VALUES ('17fd101e-d29c-4eec-a6b2-ca33c60b5852', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:14.642+00', '{"pressure": 101311}', '{}', '2026-11-28 06:58:14.642+00');
INSERT INTO public.telemetry_points VALUES ('060599df-73e9-4c57-a1e7-80d29f6cc364', 'default', '7a6ea838-ee43-4c2f-90b6-205352c905d9', '2026-11-28 06:58:14.642+00', '{"battery_level": 86}', '{}', '2026-11-28 06:58:14.642+00');

INSERT INTO public.tenants VALUES ('default', 'Default', '2026-11-28 06:57:58.198+00');

SELECT pg_catalog.setval('drizzle.__drizzle_migrations_id_seq', 1, true);

SELECT pg_catalog.setval('public.bootstraps_sequence_seq', 1, true);

SELECT pg_catalog.setval('public.dead_letters_id_seq', 1, false);

SELECT pg_catalog.setval('public.handshakes_id_seq', 1, true);

SELECT pg_catalog.setval('public.object_definitions_id_seq', 1, false);

SELECT pg_catalog.setval('public.outbox_id_seq', 62, true);

SELECT pg_catalog.setval('public.rpcs_sequence_seq', 3, true);

ALTER TABLE ONLY drizzle.__drizzle_migrations
    ADD CONSTRAINT __drizzle_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_token_hash UNIQUE (token_hash);

ALTER TABLE ONLY public.bootstrap_plans
    ADD CONSTRAINT bootstrap_plans_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bootstraps
    ADD CONSTRAINT bootstraps_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_tenant_endpoint UNIQUE (tenant_id, endpoint);

ALTER TABLE ONLY public.factory_credentials
    ADD CONSTRAINT factory_credentials_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.handshakes
    ADD CONSTRAINT handshakes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.object_definitions
    ADD CONSTRAINT object_definitions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.object_definitions
    ADD CONSTRAINT object_definitions_version UNIQUE (tenant_id, object_id, version);

ALTER TABLE ONLY public.observation_requests
    ADD CONSTRAINT observation_requests_pkey PRIMARY KEY (device_id, key);

ALTER TABLE ONLY public.observations
    ADD CONSTRAINT observations_pkey PRIMARY KEY (device_id, token);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_tenant_name UNIQUE (tenant_id, name);

ALTER TABLE ONLY public.registration_profiles
    ADD CONSTRAINT registration_profiles_tenant_id_profile_id_pk PRIMARY KEY (tenant_id, profile_id);

ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_id UNIQUE (id);

ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_pkey PRIMARY KEY (device_id);

ALTER TABLE ONLY public.resource_values
    ADD CONSTRAINT resource_values_pkey PRIMARY KEY (device_id, object_id, instance_id, resource_id, resource_instance_id);

ALTER TABLE ONLY public.revoked_certificates
    ADD CONSTRAINT revoked_certificates_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.rpc_transitions
    ADD CONSTRAINT rpc_transitions_pkey PRIMARY KEY (rpc_id, ordinal);

ALTER TABLE ONLY public.rpcs
    ADD CONSTRAINT rpcs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.telemetry_points
    ADD CONSTRAINT telemetry_points_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.trust_anchors
    ADD CONSTRAINT trust_anchors_pkey PRIMARY KEY (id);

CREATE INDEX api_keys_tenant ON public.api_keys USING btree (tenant_id);

CREATE UNIQUE INDEX bootstrap_plans_device ON public.bootstrap_plans USING btree (device_id);

CREATE UNIQUE INDEX bootstrap_plans_profile ON public.bootstrap_plans USING btree (profile_id);

CREATE INDEX bootstrap_plans_tenant ON public.bootstrap_plans USING btree (tenant_id);

CREATE INDEX bootstraps_of_device ON public.bootstraps USING btree (device_id, sequence);

CREATE INDEX bootstraps_of_tenant ON public.bootstraps USING btree (tenant_id, sequence);

CREATE INDEX bootstraps_running ON public.bootstraps USING btree (id) WHERE (status = 'RUNNING'::text);

CREATE INDEX credentials_claims ON public.credentials USING btree (kind, identity);

CREATE INDEX credentials_device ON public.credentials USING btree (device_id);

CREATE UNIQUE INDEX credentials_identity ON public.credentials USING btree (purpose, kind, identity) WHERE ((revoked_at IS NULL) AND (kind <> 'x509'::text));

CREATE UNIQUE INDEX credentials_subject ON public.credentials USING btree (tenant_id, purpose, identity) WHERE ((revoked_at IS NULL) AND (kind = 'x509'::text));

CREATE INDEX credentials_tenant ON public.credentials USING btree (tenant_id);

CREATE INDEX dead_letters_device ON public.dead_letters USING btree (device_id, id);

CREATE INDEX dead_letters_received ON public.dead_letters USING btree (received_at);

CREATE INDEX dead_letters_tenant ON public.dead_letters USING btree (tenant_id, id);

CREATE INDEX devices_by_creation ON public.devices USING btree (tenant_id, created_at, id);

CREATE INDEX devices_by_last_seen ON public.devices USING btree (tenant_id, COALESCE(last_seen, '-infinity'::timestamp with time zone), id);

CREATE INDEX devices_by_name ON public.devices USING btree (tenant_id, COALESCE(name, ''::text), id);

CREATE INDEX devices_profile ON public.devices USING btree (profile_id);

CREATE INDEX devices_tags ON public.devices USING gin (tags);

CREATE UNIQUE INDEX factory_credentials_identity ON public.factory_credentials USING btree (identity) WHERE (revoked_at IS NULL);

CREATE INDEX factory_credentials_profile ON public.factory_credentials USING btree (profile_id);

CREATE INDEX factory_credentials_tenant ON public.factory_credentials USING btree (tenant_id);

CREATE INDEX handshakes_credential ON public.handshakes USING btree (credential_id);

CREATE INDEX handshakes_device ON public.handshakes USING btree (device_id, id);

CREATE INDEX handshakes_tenant ON public.handshakes USING btree (tenant_id);

CREATE INDEX observation_requests_tenant ON public.observation_requests USING btree (tenant_id);

CREATE INDEX observations_tenant ON public.observations USING btree (tenant_id);

CREATE INDEX outbox_created ON public.outbox USING btree (created_at);

CREATE UNIQUE INDEX profiles_one_default ON public.profiles USING btree (tenant_id) WHERE is_default;

CREATE INDEX profiles_page ON public.profiles USING btree (tenant_id, created_at, id);

CREATE INDEX registrations_objects ON public.registrations USING gin (object_ids);

CREATE INDEX registrations_tenant ON public.registrations USING btree (tenant_id);

CREATE INDEX resource_values_tenant ON public.resource_values USING btree (tenant_id);

CREATE UNIQUE INDEX revoked_certificates_fingerprint ON public.revoked_certificates USING btree (tenant_id, fingerprint);

CREATE INDEX rpc_transitions_tenant ON public.rpc_transitions USING btree (tenant_id);

CREATE INDEX rpcs_active ON public.rpcs USING btree (device_id, sequence) WHERE (status = ANY (ARRAY['QUEUED'::text, 'SENT'::text, 'DELIVERED'::text]));

CREATE UNIQUE INDEX rpcs_idempotency_key ON public.rpcs USING btree (tenant_id, idempotency_key);

CREATE INDEX rpcs_of_device ON public.rpcs USING btree (device_id, sequence);

CREATE INDEX rpcs_tenant ON public.rpcs USING btree (tenant_id);

CREATE INDEX telemetry_points_history ON public.telemetry_points USING btree (device_id, "timestamp", event_id);

CREATE INDEX telemetry_points_received ON public.telemetry_points USING btree (received_at);

CREATE UNIQUE INDEX trust_anchors_fingerprint ON public.trust_anchors USING btree (tenant_id, fingerprint);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.bootstrap_plans
    ADD CONSTRAINT bootstrap_plans_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.bootstrap_plans
    ADD CONSTRAINT bootstrap_plans_profile_id_profiles_id_fk FOREIGN KEY (profile_id) REFERENCES public.profiles(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.bootstrap_plans
    ADD CONSTRAINT bootstrap_plans_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.bootstraps
    ADD CONSTRAINT bootstraps_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.bootstraps
    ADD CONSTRAINT bootstraps_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_profile_id_profiles_id_fk FOREIGN KEY (profile_id) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.factory_credentials
    ADD CONSTRAINT factory_credentials_profile_id_profiles_id_fk FOREIGN KEY (profile_id) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.factory_credentials
    ADD CONSTRAINT factory_credentials_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.handshakes
    ADD CONSTRAINT handshakes_credential_id_credentials_id_fk FOREIGN KEY (credential_id) REFERENCES public.credentials(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.handshakes
    ADD CONSTRAINT handshakes_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.object_definitions
    ADD CONSTRAINT object_definitions_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.observation_requests
    ADD CONSTRAINT observation_requests_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.observation_requests
    ADD CONSTRAINT observation_requests_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.observations
    ADD CONSTRAINT observations_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.observations
    ADD CONSTRAINT observations_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.registration_profiles
    ADD CONSTRAINT registration_profiles_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.resource_values
    ADD CONSTRAINT resource_values_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.resource_values
    ADD CONSTRAINT resource_values_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.revoked_certificates
    ADD CONSTRAINT revoked_certificates_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rpc_transitions
    ADD CONSTRAINT rpc_transitions_rpc_id_rpcs_id_fk FOREIGN KEY (rpc_id) REFERENCES public.rpcs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rpc_transitions
    ADD CONSTRAINT rpc_transitions_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rpcs
    ADD CONSTRAINT rpcs_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rpcs
    ADD CONSTRAINT rpcs_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.telemetry_points
    ADD CONSTRAINT telemetry_points_device_id_devices_id_fk FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.trust_anchors
    ADD CONSTRAINT trust_anchors_tenant_id_tenants_id_fk FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

CREATE POLICY all_tenants ON public.api_keys TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.bootstrap_plans TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.bootstraps TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.credentials TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.dead_letters TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.devices TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.factory_credentials TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.handshakes TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.object_definitions TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.observation_requests TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.observations TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.outbox TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.profiles TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.registration_profiles TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.registrations TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.resource_values TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.revoked_certificates TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.rpc_transitions TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.rpcs TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.telemetry_points TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.tenants TO treeline_system USING (true) WITH CHECK (true);

CREATE POLICY all_tenants ON public.trust_anchors TO treeline_system USING (true) WITH CHECK (true);

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bootstrap_plans ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bootstraps ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.credentials ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letters ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.devices ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.factory_credentials ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.handshakes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.object_definitions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.observation_requests ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.observations ENABLE ROW LEVEL SECURITY;

CREATE POLICY one_tenant ON public.api_keys TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.bootstrap_plans TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.bootstraps TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.credentials TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.dead_letters TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.devices TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.factory_credentials TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.handshakes TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.object_definitions TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.observation_requests TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.observations TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.outbox TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.profiles TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.registration_profiles TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.registrations TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.resource_values TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.revoked_certificates TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.rpc_transitions TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.rpcs TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.telemetry_points TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.tenants TO treeline_app USING ((id = current_setting('app.tenant'::text, true))) WITH CHECK ((id = current_setting('app.tenant'::text, true)));

CREATE POLICY one_tenant ON public.trust_anchors TO treeline_app USING ((tenant_id = current_setting('app.tenant'::text, true))) WITH CHECK ((tenant_id = current_setting('app.tenant'::text, true)));

ALTER TABLE public.outbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.registration_profiles ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.registrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.resource_values ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.revoked_certificates ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.rpc_transitions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.rpcs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.telemetry_points ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.trust_anchors ENABLE ROW LEVEL SECURITY;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.api_keys TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.api_keys TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bootstrap_plans TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bootstrap_plans TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bootstraps TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bootstraps TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.credentials TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.credentials TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.dead_letters TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.dead_letters TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.devices TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.devices TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.factory_credentials TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.factory_credentials TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.handshakes TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.handshakes TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.leases TO treeline_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.object_definitions TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.object_definitions TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.observation_requests TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.observation_requests TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.observations TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.observations TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.profiles TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.profiles TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.registration_profiles TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.registration_profiles TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.registrations TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.registrations TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.resource_values TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.resource_values TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.revoked_certificates TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.revoked_certificates TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rpc_transitions TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rpc_transitions TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rpcs TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rpcs TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.settings TO treeline_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.telemetry_points TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.telemetry_points TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenants TO treeline_system;
GRANT SELECT ON TABLE public.tenants TO treeline_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.trust_anchors TO treeline_system;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.trust_anchors TO treeline_app;

