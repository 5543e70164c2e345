import { expect, test } from 'vitest';
import type { PluginOption } from '../src/api/shapes';
import { amountOf, written } from '../src/form/measure';
import { wrong } from '../src/form/value';
import { back, changed, fieldOfOption, untouched } from '../src/pages/plugins/option';

const day = 86_400_000;

test('times and sizes are written as short as they are exact', () => {
  expect([0, 20, 1500, 300_000, 30 * day].map((it) => written('duration', it))).toEqual([
    '0s',
    '20ms',
    '1500ms',
    '5m',
    '30d',
  ]);
  expect([0, 1000, 1024, 512 * 1024, 1025].map((it) => written('size', it))).toEqual([
    '0',
    '1kB',
    '1KiB',
    '512KiB',
    '1025B',
  ]);
});

test('what is written is read, and nothing else', () => {
  expect(['0s', '5m', '30 d', '30', '-1s', '1.5h', 'm'].map((it) => amountOf('duration', it))).toEqual([
    0,
    300_000,
    30 * day,
    null,
    null,
    null,
    null,
  ]);
  expect(['0', '64', '128KiB', '1k'].map((it) => amountOf('size', it))).toEqual([0, 64, 131_072, null]);
});

const option = (more: Partial<PluginOption>): PluginOption => ({
  name: 'x',
  help: '',
  kind: 'duration',
  min: null,
  max: null,
  value: 0,
  default: 0,
  origin: 'default',
  place: null,
  ...more,
});

test('bounds of a time are kept and said as times', () => {
  const field = fieldOfOption(option({ min: 1000, max: 365 * day }));
  expect(wrong(field, '30d')).toBeNull();
  expect(wrong(field, '366d')).toEqual({ key: 'wrong.between', values: { min: '1s', max: '365d' } });
  expect(wrong(field, '30')).toEqual({ key: 'wrong.duration' });
});

test('what nobody touched is not told', () => {
  const options = [
    option({ name: 'age' }),
    option({ name: 'text', kind: 'boolean', value: false, default: false }),
    option({ name: 'word', kind: 'string', value: '', default: '' }),
  ];
  expect(changed(untouched(options), { age: '0s' })).toEqual({});
  expect(changed(untouched(options), { age: '30d' })).toEqual({ age: '30d' });
  const on = options.map((it) => (it.name === 'text' ? { ...it, value: true, origin: 'file' } : it));
  expect(changed(untouched(on), { age: '0s' }), 'the file would say otherwise').toEqual({ text: false });
});

test('what was not set here is taken back', () => {
  expect(back(option({ value: day, origin: 'file' }), '')).toBeNull();
  expect(back(option({ value: day, origin: 'console' }), '')).toBe('1d');
  expect(back(option({ value: day, origin: 'console' }), 'localhost')).toBeNull();
});
