import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chosen, fill, placeholders, regional, type Messages } from '../src/i18n/message';

const folder = new URL('../src/i18n/', import.meta.url);
const read = (name: string): Messages => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Messages;
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
const english = read('en.json');

/** Languages have different numbers of forms: all forms of a message count as one. */
const stems = (messages: Messages): string[] =>
  [
    ...new Set(Object.keys(messages).map((key) => key.replace(/\.(zero|one|two|few|many|other)$/, ''))),
  ].sort();

describe.each(names)('%s', (name) => {
  const messages = read(name);

  test('has every message and no other', () => {
    expect(stems(messages)).toEqual(stems(english));
  });

  test('has the same placeholders', () => {
    for (const [key, text] of Object.entries(messages)) {
      const model = english[key] ?? english[key.replace(/\.\w+$/, '.other')] ?? '';
      expect(placeholders(text), key).toEqual(placeholders(model));
    }
  });

  test('leaves nothing empty', () => {
    for (const [key, text] of Object.entries(messages)) expect(text.trim(), key).not.toBe('');
  });
});

test('Chinese is Chinese', () => {
  const same = Object.entries(read('zh-CN.json')).filter(([key, text]) => text === english[key]);
  expect(same.map(([key]) => key)).toEqual([]);
});

test('placeholders are filled, unknown ones stay', () => {
  expect(fill('{a} of {b}', { a: 1 })).toBe('1 of {b}');
});

test('the nearest language is taken', () => {
  expect(chosen(['', 'de', 'zh-Hans'], ['en', 'zh-CN'])).toBe('zh-CN');
  expect(chosen(['fr'], ['en', 'zh-CN'])).toBeUndefined();
});

test('dates are written as they are where the browser is', () => {
  expect(regional('en', ['en-GB', 'en-US'])).toBe('en-GB');
  expect(regional('en', ['de-DE', 'en'])).toBe('en-DE');
  expect(regional('en', ['en'])).toBe('en');
  expect(regional('en', [])).toBe('en');
  expect(regional('en', ['', 'en-US@posix'])).toBe('en');
  expect(regional('zh-CN', ['zh-TW', 'zh-SG'])).toBe('zh-SG');
  expect(regional('zh-CN', ['en-GB'])).toBe('zh-CN');
});
