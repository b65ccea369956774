export { dtlsIdentity, type PemIdentity } from './dtls-identity.ts';
export { InstallationError } from './kept-file.ts';
export { givenSecretKey, hasNextSecretKey, installNextSecretKey, nextSecretKey } from './next-secret-key.ts';
export { makePrivate } from './private-directory.ts';
export { saveSessions, takeSavedSessions } from './saved-sessions.ts';
export { createSecretKey, presentSecretKey, secretKeyFile } from './secret-key.ts';
