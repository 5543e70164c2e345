import { expect, test } from 'vitest';
import { indented } from '../src/pages/stanzas/indented';

test('each element has a line, text stays where it is', () => {
  expect(indented('<m a="1"><body>hi</body><x/><y></y></m>')).toBe(
    '<m a="1">\n  <body>hi</body>\n  <x/>\n  <y></y>\n</m>',
  );
  expect(indented('no xml')).toBe('no xml');
});
