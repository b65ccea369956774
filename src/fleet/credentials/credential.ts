import type { DeviceId, TenantId } from '../access/index.ts';

/** Events about credentials. Key: tenantId. */
export interface CredentialEvents {
  /** The sessions that this credential opened end. */
  readonly credentialEnded: {
    readonly tenantId: TenantId;
    /** Null for a factory credential. */
    readonly deviceId: DeviceId | null;
    readonly credentialId: string;
  };
  /** From now on the device must authenticate. */
  readonly credentialCreated: { readonly tenantId: TenantId; readonly deviceId: DeviceId };
  /** A certificate of a device or of an authority becomes valid (`counts`) or stops being valid. */
  readonly trustChanged: { readonly tenantId: TenantId; readonly counts: boolean };
}

export type CredentialKind = 'psk' | 'rpk' | 'x509';
/** What a credential opens: the LwM2M server or the bootstrap server. */
export type CredentialPurpose = 'lwm2m' | 'bootstrap';

/** What a device proves itself with, without its secret. */
export interface DeviceCredential {
  readonly id: string;
  readonly deviceId: DeviceId;
  readonly kind: CredentialKind;
  readonly purpose: CredentialPurpose;
  /** PSK: the identity. RPK: the SHA-256 of the public key in hex. X.509: the subject's common name. */
  readonly identity: string;
  readonly createdAt: Date;
  /** From then on it no longer counts; null: it counts until it is revoked. */
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

export type NewCredential =
  /** Identity: 1 to 128 bytes, the endpoint unless given. Key: 16 to 64 bytes in hex, 32 random ones unless given. */
  (
    | { readonly kind: 'psk'; readonly identity?: string | null; readonly key?: string | null }
    /** DER SubjectPublicKeyInfo in base64, or PEM. */
    | { readonly kind: 'rpk'; readonly publicKey: string }
    /** The common name of the device's certificates, below one of the tenant's trust anchors; the endpoint unless given. */
    | { readonly kind: 'x509'; readonly subject?: string | null }
  ) & {
    /** The LwM2M server unless given. */
    readonly purpose?: CredentialPurpose;
  };

export interface IssuedCredential {
  readonly credential: DeviceCredential;
  /** What the device must be given; shown this once. Null for what the device holds itself. */
  readonly secret: { readonly identity: string; readonly keyHex: string } | null;
}

/** A certificate authority that a tenant's devices may be certified by. */
export interface TrustAnchor {
  readonly id: string;
  readonly name: string;
  readonly subject: string;
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string;
  readonly notAfter: Date;
  readonly createdAt: Date;
}

/** The device that a credential belongs to. Admission compares a Register with it. */
export interface CredentialHolder {
  readonly credentialId: string;
  readonly tenantId: string;
  readonly deviceId: DeviceId;
  readonly endpoint: string;
}
