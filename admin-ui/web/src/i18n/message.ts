export type Messages = Record<string, string>;

/** Puts values into the `{placeholders}` of a message. */
export function fill(text: string, values: Record<string, unknown>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** The first wanted language that there is; `zh` and `zh-Hans` find `zh-CN`. */
export function chosen(wanted: readonly string[], there: readonly string[]): string | undefined {
  for (const tag of wanted.filter(Boolean)) {
    const exact = there.find((other) => other.toLowerCase() === tag.toLowerCase());
    if (exact) return exact;
    const base = tag.toLowerCase().split('-')[0];
    const near = there.find((other) => other.toLowerCase().split('-')[0] === base);
    if (near) return near;
  }
  return undefined;
}

/** The names of the placeholders in a message, sorted. */
export function placeholders(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].sort();
}

/**
 * A language as it is written where the browser is: as one of those it wants, or with its region.
 * Languages that are of a region themselves stay as they are.
 */
export function regional(language: string, wanted: readonly string[]): string {
  const mine = localeOf(language);
  const all = wanted.flatMap((tag) => localeOf(tag) ?? []);
  const same = all.find((it) => it.language === mine?.language && it.script === mine.script && it.given);
  const region = all[0]?.given;
  if (same) return same.tag;
  return region && !mine?.given ? `${language}-${region}` : language;
}

/** Null for what is no language's tag, as some browsers say. */
function localeOf(tag: string) {
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return { tag, language, script, given: new Intl.Locale(tag).region };
  } catch {
    return null;
  }
}
