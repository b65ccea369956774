import type { DeviceId, TenantId } from '../access/index.ts';

/** The events about credentials. The key of each event on the bus is the tenantId. */
export interface CredentialEvents {
  /** A credential was revoked, or its overlap after a rotation ended. The sessions that it opened must end. */
  readonly credentialEnded: {
    readonly tenantId: TenantId;
    /** Null for a factory credential. */
    readonly deviceId: DeviceId | null;
    readonly credentialId: string;
  };
  /** A device got a credential. From now on the device must authenticate. */
  readonly credentialCreated: { readonly tenantId: TenantId; readonly deviceId: DeviceId };
  /** A certificate of a device or of an authority becomes valid (`counts`) or stops being valid. */
  readonly trustChanged: { readonly tenantId: TenantId; readonly counts: boolean };
}

/** A pre-shared key, a raw public key, or an X.509 certificate. */
export type CredentialKind = 'psk' | 'rpk' | 'x509';
/** The server that a credential is for: the LwM2M server or the bootstrap server. */
export type CredentialPurpose = 'lwm2m' | 'bootstrap';

/** A credential that a device authenticates with, without its secret. */
export interface DeviceCredential {
  readonly id: string;
  readonly deviceId: DeviceId;
  readonly kind: CredentialKind;
  readonly purpose: CredentialPurpose;
  /** PSK: the identity. RPK: the SHA-256 of the public key in hex. X.509: the subject's common name. */
  readonly identity: string;
  readonly createdAt: Date;
  /** The credential is invalid from this time. Null: it is valid until it is revoked. */
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

/** The input for a new credential. */
export type NewCredential =
  /**
   * `identity`: 1 to 128 bytes; default: the endpoint. `key`: 16 to 64 bytes in hex; default: `keyLength` random bytes,
   * 16 or 32 (the default).
   */
  (
    | {
        readonly kind: 'psk';
        readonly identity?: string | null;
        readonly key?: string | null;
        readonly keyLength?: number | null;
      }
    /** `publicKey`: a SubjectPublicKeyInfo as PEM or as DER in base64. */
    | { readonly kind: 'rpk'; readonly publicKey: string }
    /**
     * `subject`: the common name of the device's certificates; default: the endpoint. Their chain must end at a trust
     * anchor of the tenant.
     */
    | { readonly kind: 'x509'; readonly subject?: string | null }
  ) & {
    /** Default: `lwm2m`. */
    readonly purpose?: CredentialPurpose;
  };

/** A new credential with its secret. */
export interface IssuedCredential {
  readonly credential: DeviceCredential;
  /**
   * The PSK for the device; it is returned only here. Null for RPK and X.509, because the device has its own private
   * key.
   */
  readonly secret: { readonly identity: string; readonly keyHex: string } | null;
}

/** A certificate authority that a tenant trusts to issue certificates to its devices. */
export interface TrustAnchor {
  readonly id: string;
  readonly name: string;
  readonly subject: string;
  /** The SHA-256 of the certificate in hex. */
  readonly fingerprint: string;
  readonly notAfter: Date;
  readonly createdAt: Date;
}

/** The device that a credential belongs to. Admission compares the endpoint of a Register with it. */
export interface CredentialHolder {
  readonly credentialId: string;
  readonly tenantId: string;
  readonly deviceId: DeviceId;
  readonly endpoint: string;
}
