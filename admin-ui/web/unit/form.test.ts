import { describe, expect, test } from 'vitest';
import type { Schema } from '../src/api/spec';
import { fieldOf, fieldsOfArguments, fieldsOfSchema } from '../src/form/field';
import { askedFor, givenAll, shownAll, wrong, wrongAll } from '../src/form/value';

describe('a schema becomes fields', () => {
  const fields = fieldsOfSchema({
    type: 'object',
    required: ['limit'],
    properties: {
      limit: { type: 'integer', minimum: 1, maximum: 10, default: 3 },
      words: { type: 'array', items: { type: 'string' }, default: [] },
      level: { enum: ['low', 'high'] },
      deep: { type: 'object', properties: { on: { type: 'boolean', default: true } } },
    },
  });

  test('with defaults in the boxes', () => {
    expect(shownAll(fields, {})).toEqual({ limit: '3', words: '', level: '', deep: { on: true } });
  });

  test('and back to what the server takes', () => {
    const boxes = { limit: '7', words: 'a\n\n b ', level: '', deep: { on: false } };
    expect(givenAll(fields, boxes)).toEqual({ limit: 7, words: ['a', 'b'], deep: { on: false } });
  });

  test('bounds are kept', () => {
    expect(wrongAll(fields, { limit: '11' })).toEqual({
      limit: { key: 'wrong.between', values: { min: 1, max: 10 } },
    });
    expect(wrongAll(fields, { limit: '' })).toEqual({ limit: { key: 'wrong.missing' } });
  });
});

test('secrets and uploads are known by their kind', () => {
  const argument = (kind: string) => ({
    name: 'x',
    help: '',
    required: true,
    kind,
    schema: { type: 'string' },
  });
  expect(fieldsOfArguments([argument('secret'), argument('upload')]).map((it) => it.shape)).toEqual([
    'secret',
    'upload',
  ]);
});

test('files are asked for only where a certificate comes from files', () => {
  const argument = (name: string, schema: Schema) => ({
    name,
    help: '',
    required: false,
    kind: 'text',
    schema,
  });
  const key = argument('key', { type: 'string' });
  const fields = fieldsOfArguments([argument('source', { enum: ['self-signed', 'files', 'acme'] }), key]);
  const asked = (source: string) => askedFor(fields, { source, key: '/k' }).map((it) => it.name);
  expect(asked('')).toEqual(['source']);
  expect(asked('acme')).toEqual(['source']);
  expect(asked('files')).toEqual(['source', 'key']);
  const alone = askedFor(fieldsOfArguments([key]), {});
  expect(
    alone.map((it) => it.name),
    'a key of something else',
  ).toEqual(['key']);
});

test('lengths count bytes, as the server does', () => {
  const field = fieldOf('name', { type: 'string', maxLength: 4 }, true);
  expect(wrong(field, '汉字')).toEqual({ key: 'wrong.long', values: { max: 4 } });
  expect(wrong(field, 'abcd')).toBeNull();
});

test('JSON that is none is wrong', () => {
  expect(wrong(fieldOf('x', {}, false), '{')).toEqual({ key: 'wrong.json' });
});
