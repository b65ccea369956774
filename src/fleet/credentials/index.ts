export type {
  CredentialEvents,
  CredentialHolder,
  CredentialKind,
  CredentialPurpose,
  DeviceCredential,
  IssuedCredential,
  NewCredential,
  TrustAnchor,
} from './credential.ts';
export { createCredentials, type CredentialBook, type Credentials } from './credentials.ts';
export { HandshakeLog } from './handshake-log.ts';
export type { HandshakeRecord, HandshakeReport, Handshakes } from './handshake.ts';
export {
  counts,
  createCredentialLookUp,
  type CredentialGate,
  type CredentialLookUp,
  keyContext,
  type PskOnFile,
} from './look-up.ts';
export { checkedIdentity, checkKeyLength, pskKey, utf8 } from './rules.ts';
export { Seal, SealError } from './seal.ts';
