/** Where the wizard is, as `GET /setup` says. */
export type Standing = { state: 'code' } | { state: 'over' } | Open;

export interface Open {
  state: 'open';
  csrf: string;
  proposal: {
    domains: string[];
    certificate: Certificate;
    registration: Registration;
    plugins: { id: string; summary: string; enabled: boolean }[];
    file: string | null;
  };
  /** The kinds of certificates that there can be. */
  certificates: Certificate['kind'][];
  acme: { directory: string };
  password: { least: number };
}

export type Certificate =
  | { kind: 'self-signed' }
  | { kind: 'files'; chain: string; key: string }
  | { kind: 'acme'; contact: string; terms_agreed: boolean; directory?: string };
export type Registration = 'closed' | 'open';

/** What somebody wants of a new server. */
export interface Plan {
  domain: string;
  certificate: Certificate;
  owner: { name: string; password: string };
  registration: Registration;
  plugins: string[];
}

/** Something about a plan that cannot be. */
export interface Wrong {
  /** `domain`, `owner.password` and so on; empty for the whole. */
  field: string;
  message: string;
}

export const steps = ['domain', 'owner', 'policy', 'plugins'] as const;
export type Step = (typeof steps)[number];

/** The step in which something that is wrong can be mended. */
export function stepOf(field: string): Step {
  if (field.startsWith('owner')) return 'owner';
  if (field.startsWith('registration')) return 'policy';
  return field.startsWith('plugins') ? 'plugins' : 'domain';
}
