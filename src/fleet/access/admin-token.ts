import { settings, type Store } from '../../store/index.ts';
import { hashOfToken, makeToken } from './token.ts';

/** The key of the row in `settings` that contains the hash of the admin token. */
export const ADMIN_TOKEN_SETTING = 'admin_token_hash';

/**
 * Makes sure that an admin token exists. If `given` is a token, it replaces the admin token. If `given` is null, an
 * existing admin token stays valid; if there is none, a token is generated. Resolves with a generated token, which the
 * caller prints once, else with null.
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
