import { settings, type Store } from '../../store/index.ts';
import { hashOfToken, makeToken } from './token.ts';

/** The setting that holds the hash of the admin token. */
export const ADMIN_TOKEN_SETTING = 'admin_token_hash';

/**
 * Makes sure that there is an admin token. One that is given becomes the admin token, in place of any before; else the
 * one of an earlier start stays; else one is made. Resolves with the token that was made, for the caller to print once,
 * or null.
 */
export async function ensureAdminToken(store: Store, given: string | null): Promise<string | null> {
  const token = given ?? makeToken();
  const row = { key: ADMIN_TOKEN_SETTING, value: hashOfToken(token) };
  const written = await store.asSystem((tx) => {
    const insert = tx.insert(settings).values(row);
    return (
      given === null
        ? insert.onConflictDoNothing()
        : insert.onConflictDoUpdate({ target: settings.key, set: { value: row.value } })
    ).returning({ key: settings.key });
  });
  return given === null && written.length > 0 ? token : null;
}
