import { run } from '../api/operations.svelte';
import type { Arguments, Spec } from '../api/spec';
import { known, said, t } from '../i18n/language.svelte';
import { confirm } from './confirm.svelte';

/** What an operation is called here. */
export function titleOf(spec: Spec): string {
  return known(`operation.${spec.name}`, said(spec.help));
}

/** The same with what it is done to, so that nobody says yes to another one than he means. */
export function titleWith(spec: Spec, given: Arguments): string {
  const target = targetOf(spec, given);
  return target ? `${titleOf(spec)}: ${target}` : titleOf(spec);
}

/** What the path names; of what plugins contribute, whose addresses are in the body, what comes first. */
function targetOf(spec: Spec, given: Arguments): string {
  const inPath = [...spec.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const named = inPath.length ? inPath : NAMES.filter((name) => name in given).slice(0, 1);
  const words = named.map((name) => given[name]).map((it) => (it instanceof File ? it.name : it));
  return words.filter((it) => typeof it === 'string' && it).join('/');
}

const NAMES = ['account', 'room', 'file', 'path', 'domain'];

/** Asks as the operation wants to be asked about, or for a word to be typed; null if the answer was no. */
export async function perform<T>(spec: Spec, given: Arguments, word?: string): Promise<{ answer: T } | null> {
  const danger = spec.danger;
  if (danger) {
    const yes = await confirm({
      title: titleWith(spec, given),
      says: said(danger.says || spec.help),
      action: t('confirm.go'),
      typed: word ?? (danger.type ? String(given[danger.type] ?? '') : undefined),
      danger: true,
    });
    if (!yes) return null;
  }
  return { answer: await run<T>(spec, given) };
}
