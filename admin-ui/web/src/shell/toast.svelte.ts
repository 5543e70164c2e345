import { Problem } from '../api/problem';
import { say } from '../form/refusal';

export interface Toast {
  id: number;
  text: string;
  tone: 'good' | 'bad';
  undo?: () => Promise<unknown> | void;
}

let toasts = $state<Toast[]>([]);
let last = 0;

export function allToasts(): Toast[] {
  return toasts;
}

/** Says that something was done, and offers to undo it where that can be. */
export function done(text: string, undo?: () => Promise<unknown> | void): void {
  show({ text, tone: 'good', undo }, undo ? 12_000 : 6_000);
}

/** Says that something did not work; stays until it is dismissed. */
export function failed(error: unknown): void {
  // The page to sign in says this.
  if (error instanceof Problem && error.slug === 'not-signed-in') return;
  show({ text: say(error), tone: 'bad' }, 0);
}

export function dismiss(id: number): void {
  toasts = toasts.filter((toast) => toast.id !== id);
}

function show(toast: Omit<Toast, 'id'>, milliseconds: number): void {
  const id = ++last;
  toasts = [...toasts.slice(-3), { ...toast, id }];
  if (milliseconds) setTimeout(() => dismiss(id), milliseconds);
}
