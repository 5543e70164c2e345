/** XML with a line for each element; text stays with its element. */
export function indented(xml: string): string {
  let depth = 0;
  let out = '';
  /** Whether nothing but text stands between here and the last opening tag. */
  let flat = false;
  for (const part of xml.split(/(<[^>]*>)/).filter(Boolean)) {
    if (!part.startsWith('<')) {
      out += part;
      continue;
    }
    const closes = part.startsWith('</');
    const opens = !closes && !part.endsWith('/>');
    if (closes) depth = Math.max(0, depth - 1);
    if (out && !(closes && flat)) out += `\n${'  '.repeat(depth)}`;
    out += part;
    flat = opens;
    if (opens) depth += 1;
  }
  return out;
}
