import { expect, test } from 'vitest';
import { completed, ownOnly, within, type Caller } from '../src/api/reach';
import { specOf, type About } from '../src/api/spec';

const spec = (roles: string[], about: About) =>
  specOf(
    {
      name: 'x.y',
      help: '',
      method: 'POST',
      path: '/x',
      arguments: [],
      changes: true,
      times: [],
      roles,
      about,
      danger: { level: 'none' },
    },
    '',
  );
const caller = (role: string, domains: string[] | null = null): Caller => ({
  account: 'me@a.example',
  role,
  domains,
});
const account: About = { about: 'account', argument: 'account' };
const signout = spec(['owner', 'administrator', 'user'], account);

test('who may do it to the own account only does not do it to others', () => {
  for (const role of ['operator', 'auditor', 'user']) {
    expect(ownOnly(caller(role), signout)).toBe(true);
    expect(within(caller(role), signout, { account: 'you@a.example' })).toBe(false);
    expect(within(caller(role), signout, { account: 'me@a.example' })).toBe(true);
  }
  expect(within(caller('owner'), signout, { account: 'you@b.example' })).toBe(true);
});

test('who is limited to domains reaches what is theirs', () => {
  const limited = caller('administrator', ['a.example']);
  expect(within(limited, signout, { account: 'you@a.example' })).toBe(true);
  expect(within(limited, signout, { account: 'you@b.example' })).toBe(false);
  const rooms = spec(['owner', 'administrator'], { about: 'address', argument: 'room' });
  expect(within(limited, rooms, { room: 'r@conference.a.example' })).toBe(true);
  expect(within(limited, rooms, { room: 'r@conference.ba.example' })).toBe(false);
  expect(within(limited, spec(['administrator'], { about: 'server' }), {})).toBe(false);
});

test('who has to name an account and names none means the own', () => {
  expect(completed(caller('administrator', ['a.example']), signout, {})).toEqual({ account: 'me@a.example' });
  expect(completed(caller('owner'), signout, {})).toEqual({});
});
