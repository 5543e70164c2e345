/** A full address as account and resource (RFC 7622 §3.1). */
export function parted(jid: string): { account: string; resource: string } {
  const slash = jid.indexOf('/');
  return slash < 0
    ? { account: jid, resource: '' }
    : { account: jid.slice(0, slash), resource: jid.slice(slash + 1) };
}
