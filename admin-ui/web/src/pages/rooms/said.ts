/** What a message says: its text, else what it changes the subject to; empty for anything else. */
export function said(stanza: string): string {
  const message = new DOMParser().parseFromString(stanza, 'application/xml').documentElement;
  const child = (name: string): string =>
    [...message.children].find((it) => it.localName === name)?.textContent ?? '';
  return child('body') || child('subject');
}
