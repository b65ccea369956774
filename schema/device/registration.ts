import type { DeviceRegistration } from '../../src/fleet/index.ts';
import type { RegisteredObject } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';

const Transport = builder.enumType('Transport', {
  description: 'What carries CoAP to the device.',
  values: {
    UDP: { value: 'udp', description: 'UDP without security.' },
    DTLS: { value: 'dtls', description: 'UDP with DTLS.' },
    TCP: { value: 'tcp', description: 'TCP without security (RFC 8323).' },
    TLS: { value: 'tls', description: 'TCP with TLS (RFC 8323).' },
  } as const,
});

export const SecurityKind = builder.enumType('SecurityKind', {
  description: 'By what a device proved who it is.',
  values: {
    PSK: { value: 'psk', description: 'A pre-shared key.' },
    RPK: { value: 'rpk', description: 'A raw public key.' },
    X509: { value: 'x509', description: 'An X.509 certificate.' },
  } as const,
});

export const SecurityIdentity = builder
  .objectRef<NonNullable<DeviceRegistration['security']>>('SecurityIdentity')
  .implement({
    description: 'As whom the device authenticated itself.',
    fields: (t) => ({
      kind: t.expose('kind', { type: SecurityKind, description: 'By what: `PSK`.' }),
      name: t.exposeString('name', {
        description:
          'The PSK identity, the fingerprint of the public key, or the subject of the certificate; no secret.',
      }),
    }),
  });

const RegisteredObjectType = builder.objectRef<RegisteredObject>('RegisteredObject').implement({
  description: 'An object that the device said it has when it registered.',
  fields: (t) => ({
    objectId: t.exposeInt('objectId', { description: 'The object’s id: `3303`.' }),
    version: t.exposeString('version', { description: 'Its version, major.minor: `"1.1"`.' }),
    instanceIds: t.intList({
      description: 'The ids of its instances: `[0, 1]`.',
      resolve: ({ instanceIds }) => [...instanceIds],
    }),
  }),
});

export const RegistrationType = builder.objectRef<DeviceRegistration>('Registration').implement({
  description: 'A device’s registration (LwM2M Core §6.2): how it can be reached, and what it said of itself.',
  fields: (t) => ({
    location: t.exposeString('location', { description: 'Its path on the server: `"rd/5a3f"`.' }),
    lwm2mVersion: t.exposeString('lwm2mVersion', { description: 'The version that the device speaks: `"1.1"`.' }),
    binding: t.exposeString('binding', {
      description: 'How it can be reached: U for UDP, T for TCP, S for SMS: `"U"`.',
    }),
    queueMode: t.exposeBoolean('queueMode', {
      description: 'Whether it sleeps between messages: what is asked of it meanwhile is held.',
    }),
    lifetime: t.exposeInt('lifetime', {
      description: 'Seconds that it lasts without an Update: `300`; 0 is for ever.',
    }),
    address: t.exposeString('address', { description: 'Where its messages come from: `"192.0.2.7:56830"`.' }),
    transport: t.expose('transport', { type: Transport, description: 'What carries them: `UDP`.' }),
    security: t.expose('security', {
      type: SecurityIdentity,
      nullable: true,
      description: 'As whom the device authenticated itself; null when it did not (NoSec).',
    }),
    rootPath: t.exposeString('rootPath', {
      description: 'What the device puts before every path: `"/lwm2m"`; `"/"` when nothing.',
    }),
    contentFormats: t.intList({
      description: 'The CoAP content formats it says it speaks: `[110, 112, 11542]`.',
      resolve: ({ contentFormats }) => [...contentFormats],
    }),
    objects: t.field({
      type: [RegisteredObjectType],
      description: 'The objects and instances it said it has.',
      resolve: ({ objects }) => [...objects],
    }),
    registeredAt: t.expose('registeredAt', { type: 'DateTime', description: 'When it registered.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it last registered or updated.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the lifetime ends unless the device updates; null for one without end.',
    }),
  }),
});
