import type { Account } from '../../api/shapes';

/** What an account is to the server, in one word of the table. */
export function rankOf(account: Account): string {
  const role = account.role;
  if (!role) return 'user';
  return typeof role === 'string' ? role : role.role;
}
