import { Catalogue } from './catalogue';
import { fill, chosen, regional, type Messages } from './message';

/** Each file beside this one is a language; a new one is found when the console is built. */
const files = import.meta.glob<{ default: Messages }>('./*.json');
export const languages = Object.keys(files)
  .map((path) => path.slice(2, -5))
  .sort();

/** What the server says, beside its English. */
const served = import.meta.glob<{ default: Messages }>('./server/*.json');

const FALLBACK = 'en';
let messages = $state.raw<Messages>({});
let current = $state(FALLBACK);
let catalogue = $state.raw(new Catalogue());

/** Loads the language that was chosen before, or the first of the browser's that there is. */
export async function begin(): Promise<void> {
  const wanted = [localStorage.getItem('xylem.language') ?? '', ...navigator.languages];
  await load(chosen(wanted, languages) ?? FALLBACK);
}

export async function choose(language: string): Promise<void> {
  localStorage.setItem('xylem.language', language);
  await load(language);
}

/** The server's idea of a user's language counts only until the user chose one here. */
export async function suggest(language: string | null | undefined): Promise<void> {
  if (!language || localStorage.getItem('xylem.language')) return;
  const found = chosen([language], languages);
  if (found && found !== current) await load(found);
}

async function load(language: string): Promise<void> {
  const file = files[`./${language}.json`] ?? files[`./${FALLBACK}.json`];
  if (!file) return;
  messages = (await file()).default;
  current = language;
  document.documentElement.lang = language;
  // Nobody waits for it: it is of forms and explanations.
  const sentences = served[`./server/${language}.json`];
  void (sentences?.() ?? Promise.resolve({ default: {} })).then((file) => {
    if (current === language) catalogue = new Catalogue(file.default);
  });
}

export function language(): string {
  return current;
}

/** The same as the browser's region writes dates and numbers. */
export function locale(): string {
  return regional(current, navigator.languages);
}

/** The message in the current language, its `{placeholders}` filled in. */
export function t(key: string, values: Record<string, unknown> = {}): string {
  return fill(messages[key] ?? key, values);
}

/** The message, or `otherwise` where there is none: for names that come from the server. */
export function known(key: string, otherwise: string): string {
  return messages[key] ?? otherwise;
}

/** What the server or a plugin says in English, in the current language where that is known. */
export function said(text: string): string {
  return text && catalogue.say(text);
}

/** A message that depends on a number: `key.one`, `key.other` and so on. */
export function count(key: string, n: number, values: Record<string, unknown> = {}): string {
  const rule = new Intl.PluralRules(current).select(n);
  const text = messages[`${key}.${rule}`] ?? messages[`${key}.other`] ?? key;
  return fill(text, { n: new Intl.NumberFormat(locale()).format(n), ...values });
}

/** How the language calls itself. */
export function nameOf(tag: string): string {
  return new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag;
}
