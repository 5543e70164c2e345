import { run } from '../api/operations.svelte';
import type { Arguments, Spec } from '../api/spec';
import { known, said, t } from '../i18n/language.svelte';
import { confirm } from './confirm.svelte';

/** What an operation is called here. */
export function titleOf(spec: Spec): string {
  return known(`operation.${spec.name}`, said(spec.help));
}

/** Asks as the operation wants to be asked about, or for a word to be typed; null if the answer was no. */
export async function perform<T>(spec: Spec, given: Arguments, word?: string): Promise<{ answer: T } | null> {
  const danger = spec.danger;
  if (danger) {
    const yes = await confirm({
      title: titleOf(spec),
      says: said(danger.says || spec.help),
      action: t('confirm.go'),
      typed: word ?? (danger.type ? String(given[danger.type] ?? '') : undefined),
      danger: true,
    });
    if (!yes) return null;
  }
  return { answer: await run<T>(spec, given) };
}
