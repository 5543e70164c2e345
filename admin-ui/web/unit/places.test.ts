import { expect, test } from 'vitest';
import { specOf } from '../src/api/spec';
import { itemsOf, lookOf } from '../src/detail/shape';
import { argumentsOf, cut, type Ask } from '../src/list/page';
import { match, type Route } from '../src/route/match';
import { rank } from '../src/shell/rank';

const route = (path: string): Route => ({ path, name: path, load: () => Promise.reject(new Error()) });
const ask: Ask = { search: '', sort: '', order: 'asc', after: '', limit: 2, filters: {} };

test('paths find their page with its values', () => {
  const routes = [route('/'), route('/users'), route('/users/:account')];
  expect(match(routes, '/users/a%40b')?.values).toEqual({ account: 'a@b' });
  expect(match(routes, '/')?.route.path).toBe('/');
  expect(match(routes, '/nowhere/at/all')).toBeNull();
  expect(match(routes, '/users/%E0%A4%A')).toBeNull();
});

test('a whole list is searched, sorted and cut', () => {
  const all = [{ n: 10 }, { n: 9 }, { n: 100 }];
  expect(cut(all, { ...ask, sort: 'n' })).toEqual({ items: [{ n: 9 }, { n: 10 }], total: 3, next: '2' });
  expect(cut(all, { ...ask, sort: 'n', after: '2' })).toEqual({ items: [{ n: 100 }], total: 3, next: null });
  expect(cut(all, { ...ask, search: '100' }).items).toEqual([{ n: 100 }]);
});

test('an order without a key to sort by is not asked for', () => {
  expect(argumentsOf(ask).order).toBeUndefined();
  expect(argumentsOf({ ...ask, sort: 'jid', order: 'desc' }).order).toBe('desc');
});

test('the beginning of words counts most', () => {
  expect(rank(['log.list', 'list users', 'catalog'], 'log', (it) => it)).toEqual(['log.list', 'catalog']);
  expect(rank(['a list', 'list'], 'li', (it) => it)).toEqual(['list', 'a list']);
});

test('values are shown by what they are', () => {
  expect(lookOf([])).toBe('nothing');
  expect(lookOf([{ a: 1 }])).toBe('table');
  expect(lookOf(['a'])).toBe('words');
  expect(itemsOf({ items: [1], next: null, total: 1 })).toEqual([1]);
  expect(itemsOf({ items: [1] })).toBeNull();
});

test('an operation is read as the server writes it', () => {
  const raw = {
    name: 'x.y',
    help: '',
    method: 'POST',
    path: '/api/v1/x/x/y',
    arguments: [],
    changes: true,
    times: [],
    roles: ['owner'],
    about: { about: 'server' as const },
  };
  const spec = specOf({ ...raw, danger: { level: 'type', says: 'gone', argument: 'id' } }, '/api/v1');
  expect(spec).toMatchObject({ path: '/x/x/y', contributed: true, danger: { says: 'gone', type: 'id' } });
  expect(specOf({ ...raw, danger: { level: 'none' } }, '/api/v1').danger).toBeNull();
});
