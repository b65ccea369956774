import type { DeviceRegistration } from '../../src/fleet/index.ts';
import type { RegisteredObject } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';

const Transport = builder.enumType('Transport', {
  description: 'The transport of CoAP between the device and the server.',
  values: {
    UDP: { value: 'udp', description: 'UDP without security.' },
    DTLS: { value: 'dtls', description: 'UDP with DTLS.' },
    TCP: { value: 'tcp', description: 'TCP without security (RFC 8323).' },
    TLS: { value: 'tls', description: 'TCP with TLS (RFC 8323).' },
  } as const,
});

export const SecurityKind = builder.enumType('SecurityKind', {
  description: 'The kind of credential with which a device authenticates.',
  values: {
    PSK: { value: 'psk', description: 'The device uses a pre-shared key.' },
    RPK: { value: 'rpk', description: 'The device uses a raw public key (RFC 7250).' },
    X509: { value: 'x509', description: 'The device uses an X.509 certificate.' },
  } as const,
});

export const SecurityIdentity = builder
  .objectRef<NonNullable<DeviceRegistration['security']>>('SecurityIdentity')
  .implement({
    description: 'The identity with which the device authenticated.',
    fields: (t) => ({
      kind: t.expose('kind', { type: SecurityKind, description: 'The kind of credential: `PSK`.' }),
      name: t.exposeString('name', {
        description:
          'The PSK identity, `"urn:imei:123"`, the fingerprint of the public key, or the subject of the certificate. It is not secret.',
      }),
    }),
  });

const RegisteredObjectType = builder.objectRef<RegisteredObject>('RegisteredObject').implement({
  description: 'An object that the device listed in its registration.',
  fields: (t) => ({
    objectId: t.exposeInt('objectId', { description: 'The object’s id: `3303`.' }),
    version: t.exposeString('version', { description: 'The object’s version, major.minor: `"1.1"`.' }),
    instanceIds: t.intList({
      description: 'The ids of the object’s instances: `[0, 1]`.',
      resolve: ({ instanceIds }) => [...instanceIds],
    }),
  }),
});

export const RegistrationType = builder.objectRef<DeviceRegistration>('Registration').implement({
  description: 'A device’s registration (LwM2M Core §6.2): its address and what it announced about itself.',
  fields: (t) => ({
    location: t.exposeString('location', { description: 'The registration’s path on the server: `"rd/5a3f"`.' }),
    lwm2mVersion: t.exposeString('lwm2mVersion', { description: 'The LwM2M version of the device: `"1.1"`.' }),
    binding: t.exposeString('binding', {
      description: 'The transports that the device supports: `"U"` for UDP, `"T"` for TCP, `"S"` for SMS, or several.',
    }),
    queueMode: t.exposeBoolean('queueMode', {
      description:
        'True: the device uses queue mode and sleeps between messages. Calls wait until it wakes, at most `timeoutMs`; PERSISTENT calls wait until `expiresAt`.',
    }),
    lifetime: t.exposeInt('lifetime', {
      description:
        'Seconds until the registration expires without an Update: `300`. 0: it does not expire. A longer lifetime than 2147483647 (68 years) is shown as that.',
    }),
    address: t.exposeString('address', {
      description: 'The address from which the device sends: `"192.0.2.7:56830"`.',
    }),
    transport: t.expose('transport', { type: Transport, description: 'The transport: `UDP`.' }),
    security: t.expose('security', {
      type: SecurityIdentity,
      nullable: true,
      description: 'The identity with which the device authenticated; null without security (NoSec).',
    }),
    rootPath: t.exposeString('rootPath', {
      description: 'The prefix of all paths on the device: `"/"` for most devices; `"/lwm2m"` is another example.',
    }),
    contentFormats: t.intList({
      description: 'The CoAP content formats that the device announced: `[110, 112, 11542]`.',
      resolve: ({ contentFormats }) => [...contentFormats],
    }),
    objects: t.field({
      type: [RegisteredObjectType],
      description: 'The objects and instances that the device announced.',
      resolve: ({ objects }) => [...objects],
    }),
    registeredAt: t.expose('registeredAt', { type: 'DateTime', description: 'When the device registered.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the device last sent a Register or Update.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the lifetime ends if the device sends no Update; null if it does not end.',
    }),
  }),
});
