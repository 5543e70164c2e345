import type { Arguments, Spec } from './spec';

/** Who calls, as far as it says what is within reach. */
export interface Caller {
  account: string;
  role: string;
  /** Null for all. */
  domains: string[] | null;
}

/** Whether the caller may call it for no account but the own. */
export function ownOnly(caller: Caller, spec: Spec): boolean {
  return caller.role === 'user' || !spec.roles.includes(caller.role);
}

/** Whether the server would let the caller call it on what is given; true where nothing is given that says so. */
export function within(caller: Caller, spec: Spec, given: Arguments): boolean {
  const { account, domain, address } = named(spec, given);
  if (account !== undefined && account === caller.account && spec.roles.includes('user')) return true;
  if (ownOnly(caller, spec)) return account === undefined;
  const { domains } = caller;
  if (!domains) return true;
  if (spec.about.about === 'server') return false;
  const of = [account && domainOf(account), domain].filter((it) => it !== undefined);
  if (address) return domains.some((own) => `.${domainOf(address)}`.endsWith(`.${own}`));
  return of.every((it) => domains.includes(it));
}

/** With the own account for one that has to be named and is not. */
export function completed(caller: Caller, spec: Spec, given: Arguments): Arguments {
  const { about, argument = '' } = spec.about;
  if (about !== 'account' || !caller.domains || given[argument]) return given;
  return { ...given, [argument]: caller.account };
}

function named(spec: Spec, given: Arguments): { account?: string; domain?: string; address?: string } {
  const text = (name = ''): string | undefined => (given[name] ? String(given[name]) : undefined);
  const { about, argument } = spec.about;
  if (about === 'account-or-domain') return { account: text('account'), domain: text('domain') };
  return { [about]: text(argument) };
}

function domainOf(address: string): string {
  const bare = address.split('/')[0] ?? '';
  return bare.split('@').at(-1) ?? '';
}
