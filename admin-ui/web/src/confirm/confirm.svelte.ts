export interface Question {
  title: string;
  /** What will happen. */
  says: string;
  /** The button's word. */
  action: string;
  /** Must be typed before it goes on. */
  typed?: string;
  danger?: boolean;
}

let question = $state.raw<Question | null>(null);
let answer: (yes: boolean) => void = () => {};

export function openQuestion(): Question | null {
  return question;
}

/** Asks before something is done. */
export function confirm(asked: Question): Promise<boolean> {
  reply(false);
  question = asked;
  return new Promise((resolve) => {
    answer = resolve;
  });
}

export function reply(yes: boolean): void {
  question = null;
  answer(yes);
  answer = () => {};
}
