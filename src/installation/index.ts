export { dtlsIdentity, type PemIdentity } from './dtls-identity.ts';
export { InstallationError } from './kept-file.ts';
export { givenSecretKey, installNextSecretKey, nextSecretKey } from './next-secret-key.ts';
export { makePrivate } from './private-directory.ts';
export { saveSessions, takeSavedSessions } from './saved-sessions.ts';
export { secretKey } from './secret-key.ts';
