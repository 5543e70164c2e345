/** Those entries that hold every word, best first: words at the beginning count most. */
export function rank<T>(entries: readonly T[], words: string, text: (entry: T) => string): T[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return entries
    .map((entry, order) => ({ entry, order, score: score(text(entry).toLowerCase(), wanted) }))
    .filter((it) => it.score >= 0)
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .map((it) => it.entry);
}

function score(text: string, wanted: string[]): number {
  let sum = 0;
  for (const word of wanted) {
    const at = text.indexOf(word);
    if (at < 0) return -1;
    if (at === 0) sum += 3;
    else if (/[\s.]/.test(text[at - 1] ?? '')) sum += 2;
    else sum += 1;
  }
  return sum;
}
