import { said } from '../../i18n/language.svelte';

/** What was done, in the current language. The server writes it down as it explains the operation, without the point. */
export function deed(what: string): string {
  const known = said(what);
  if (known !== what) return known;
  const sentence = said(`${what}.`);
  return sentence === `${what}.` ? what : sentence.replace(/[.。]$/, '');
}
