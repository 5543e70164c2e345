import { fill, type Messages } from './message';

/**
 * What the server and its plugins say of themselves in English, in another language: by the whole sentence, so
 * that a sentence that was changed is shown as it is now and not as it was. `{0}`, `{1}` stand for what changes.
 */
export class Catalogue {
  private readonly patterns: { pattern: RegExp; text: string }[];

  constructor(private readonly sentences: Messages = {}) {
    this.patterns = Object.entries(sentences)
      .filter(([sentence]) => /\{\d\}/.test(sentence))
      // What says more comes first: "It sees some of the …" before "It sees the …".
      .sort(([a], [b]) => b.length - a.length)
      .map(([sentence, text]) => ({ pattern: patternOf(sentence), text }));
  }

  /** The sentence in this language, or as it is if that is not known. */
  say(sentence: string): string {
    const whole = this.sentences[sentence];
    if (whole !== undefined) return whole;
    for (const { pattern, text } of this.patterns) {
      const parts = pattern.exec(sentence)?.slice(1);
      if (parts) return fill(text, Object.fromEntries(parts.map((part, index) => [index, this.say(part)])));
    }
    return sentence;
  }
}

function patternOf(sentence: string): RegExp {
  const parts = sentence.split(/\{\d\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  // What comes first is as short as it can be: a reason may have the same signs in it as the sentence around it.
  return new RegExp(`^${parts.join('(.+?)')}$`);
}
