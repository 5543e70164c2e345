import type { DomainDetail } from '../../api/shapes';
import type { Values } from '../../form/value';

/** What a domain is like now, named as `domain.set` names what it may be like. */
export function initialOf(domain: DomainDetail): Values {
  return {
    source: domain.certificate,
    certificate: domain.certificate_file ?? undefined,
    key: domain.key_file ?? undefined,
    anonymous: domain.anonymous,
    plugins: domain.enabled,
  };
}

/** Only what is to be another than it is; what is left out stays. */
export function wishOf(changes: Values): Values {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null && value !== ''));
}
