import { operation, run } from '../api/operations.svelte';
import type { Arguments, Spec } from '../api/spec';
import { failed } from '../shell/toast.svelte';
import { perform } from './perform';

/** An operation that is being asked about in a dialog. */
export interface Asked {
  spec: Spec;
  given: Arguments;
  /** Arguments that the dialog asks for; those required if left out. */
  wants: string[];
  /** Its answer is shown, as it is never told again. */
  once: boolean;
  /** Must be typed, though the operation itself asks for less. */
  word?: string;
  resolve: (outcome: { answer: unknown } | null) => void;
}

export interface How {
  /** Optional arguments that are asked for, too. */
  wants?: string[];
  once?: boolean;
  word?: string;
}

let asked = $state.raw<Asked | null>(null);

export function openAct(): Asked | null {
  return asked;
}

/**
 * Runs an operation: asks for what is missing, says what will happen, tells what went wrong.
 * Null if it was not done.
 */
export async function act<T>(name: string, given: Arguments, how: How = {}): Promise<{ answer: T } | null> {
  const spec = operation(name);
  if (!spec) return null;
  const missing = spec.arguments
    .filter((it) => it.required && given[it.name] === undefined)
    .map((it) => it.name);
  const wants = [...missing, ...(how.wants ?? []).filter((it) => !missing.includes(it))];
  if (wants.length === 0 && !how.once) {
    try {
      return await perform<T>(spec, given, how.word);
    } catch (error) {
      failed(error);
      return null;
    }
  }
  close(null);
  return new Promise((resolve) => {
    asked = {
      spec,
      given,
      wants,
      once: how.once ?? false,
      word: how.word,
      resolve: resolve as Asked['resolve'],
    };
  });
}

/** Runs what was asked about; throws if the server refuses. */
export async function go(it: Asked, more: Arguments): Promise<unknown> {
  const all = { ...it.given, ...more };
  // The dialog has already said what will happen; a name is typed all the same.
  if (it.spec.danger?.type || it.word) return (await perform(it.spec, all, it.word))?.answer;
  return run(it.spec, all);
}

export function close(outcome: { answer: unknown } | null): void {
  const it = asked;
  asked = null;
  it?.resolve(outcome);
}
