import { Problem } from '../api/problem';
import { known, language, said, t } from '../i18n/language.svelte';

/** What the server says of these is for programs, or no more than what is said here. */
const OWN = new Set([
  'cross-origin',
  'not-signed-in',
  'only-here',
  'step-over',
  'too-many-requests',
  'unreachable',
  'wrong-code',
  'wrong-credentials',
  'wrong-passkey',
  'wrong-password',
  'wrong-token',
]);

/** What went wrong, as one sentence: the server's if it has said one, else that of the kind of problem. */
export function say(error: unknown): string {
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : String(error);
  const kind = known(`problem.${error.slug}`, sentence(error.title)) || t('problem.unknown');
  const wait = error.retryAfter ? ` ${t('problem.wait', { seconds: error.retryAfter })}` : '';
  // A word alone is the name of a condition.
  const detail = error.detail.replace(/^not allowed: /, '').trim();
  if (OWN.has(error.slug) || /^[a-z-]*$/.test(detail)) return kind + wait;
  const text = said(detail);
  const foreign = text === detail && language() !== 'en';
  return (foreign ? `${kind} ${detail}` : sentence(text)) + wait;
}

/** With a capital, unless it begins with a name, and with an end. */
function sentence(text: string): string {
  const begun = /^[a-z]+[ ,:]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  if (!begun || /[.!?。！？)"]$/.test(begun)) return begun;
  return begun + (/\p{Script=Han}/u.test(begun) ? '。' : '.');
}
