import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Catalogue } from '../src/i18n/catalogue';
import { placeholders, type Messages } from '../src/i18n/message';

const folder = new URL('../src/i18n/server/', import.meta.url);
const root = new URL('../../../', import.meta.url);
const read = (path: string, base = root): string => readFileSync(new URL(path, base), 'utf8');

interface Operation {
  operationId?: string;
  summary?: string;
  parameters?: { description?: string }[];
  requestBody?: {
    content?: Record<string, { schema?: { properties?: Record<string, { description?: string }> } }>;
  };
}

/** What the server's own operations and their arguments are explained by. */
function ofServer(): string[] {
  const document = JSON.parse(read('admin-ui/openapi.json')) as {
    paths: Record<string, Record<string, Operation>>;
  };
  const operations = Object.values(document.paths)
    .flatMap((path) => Object.values(path))
    .filter((it) => it.operationId);
  return operations
    .flatMap((it) => [
      it.summary,
      ...(it.parameters ?? []).map((parameter) => parameter.description),
      ...Object.values(it.requestBody?.content?.['application/json']?.schema?.properties ?? {}).map(
        (property) => property.description,
      ),
    ])
    .filter((text) => text !== undefined);
}

/** The same of plugins, with what they are for and their options; not what answers are made of. */
function ofPlugins(): string[] {
  return readdirSync(new URL('plugins', root), { withFileTypes: true })
    .filter((it) => it.isDirectory())
    .map((it) =>
      read(`plugins/${it.name}/plugin.toml`).replaceAll(/^fields = \[(?:\n[\s\S]*?^\]|.*\]$)/gm, ''),
    )
    .flatMap((manifest) => [...manifest.matchAll(/\b(?:help|summary|danger) = ("(?:[^"\\]|\\.)*")/g)])
    .map((match) => JSON.parse(match[1] ?? '""') as string);
}

/** What the server's own operations are refused with; not what is nothing but places for other sentences. */
function ofRefusals(): string[] {
  return ['kernel/ops/src/', 'kernel/server/src/']
    .flatMap((of) =>
      readdirSync(new URL(of, root), { recursive: true, encoding: 'utf8' }).map((path) => of + path),
    )
    .filter((path) => path.endsWith('.rs'))
    .map((path) => read(path).split('#[cfg(test)]')[0] ?? '')
    .flatMap((source) => [...source.matchAll(/OpError::\w+\(\s*(?:format!\(\s*)?"((?:[^"\\]|\\.)*)"/g)])
    .map((match) => pattern(match[1] ?? ''))
    .filter((text) => /[a-z]{3}/.test(text));
}

/** Why an order of a certificate failed, as the overview and the audit log have it. */
function ofOrders(): string[] {
  return ['kernel/acme/src/error.rs', 'kernel/server/src/acme/mod.rs']
    .flatMap((path) => [...read(path).matchAll(/#\[error\("((?:[^"\\]|\\.)*)"/g)])
    .map((match) => pattern(match[1] ?? ''))
    .filter((text) => /[a-z]{3}/.test(text));
}

/** What is no sentence of its own: `deeds` are all that is made of it. */
const parts = /^\W|[\w}]\{|^make \{0\} \{1\}$|^look at$|^see what it would/;

/** What the server's own operations have done, as the audit log has it; not what is put together from parts. */
function ofDeeds(): string[] {
  return readdirSync(new URL('kernel/ops/src/', root), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.rs'))
    .flatMap((path) => [
      ...read(`kernel/ops/src/${path}`).matchAll(/^    audit: \|[\s\S]*?(?=^    (?:allow|state|run): )/gm),
    ])
    .flatMap(([block]) => [...block.matchAll(/"((?:[^"\\]|\\.)*)"/g)])
    .map((match) => pattern(match[1] ?? ''))
    .filter((text) => text.includes(' ') && !parts.test(text));
}

/** The parts put together, of operations and of what is done outside of them. */
const deeds = [
  'see what it would be to add the domain a.example',
  'add the domain a.example',
  'see what it would be to change the domain a.example',
  'change the domain a.example',
  'see what it would be to remove the domain a.example',
  'remove the domain a.example',
  'enable xylem.muc for every domain',
  'enable xylem.muc for a.example',
  'disable xylem.muc for every domain',
  'disable xylem.muc for a.example',
  'remove the plugin xylem.muc',
  'remove the plugin xylem.muc and everything it stored',
  'set a, b of xylem.muc for a.example',
  'make me@a.example administrator of a.example, b.example',
  'make me@a.example operator of a.example',
  ...['user', 'auditor', 'operator', 'administrator', 'owner'].map((role) => `make me@a.example ${role}`),
  'stop the server',
  'stop the server: moved.elsewhere',
  'restart the server',
  'restart the server: moved.elsewhere',
  'look at a table of accounts',
  'import a table of accounts',
  'begin file 2 of the audit log; file 1 is closed',
  'delete audit-000001.log: it is older than has to be kept',
  'download the export all.xylem',
];

/** What a string of the source looks like in the catalogue. */
function pattern(source: string): string {
  let place = 0;
  return source
    .replaceAll(/\\\n\s*/g, '')
    .replaceAll('\\"', '"')
    .replaceAll(/\{[^{}]*\}/g, () => `{${place++}}`);
}

const languages = readdirSync(folder);

test('there are sentences to look at, and languages to look for', () => {
  expect(languages).toContain('zh-CN.json');
  expect(ofServer().length).toBeGreaterThan(150);
  expect(ofPlugins().length).toBeGreaterThan(150);
  expect(ofRefusals().length).toBeGreaterThan(50);
  expect(ofOrders().length).toBeGreaterThan(8);
  expect(ofDeeds().length).toBeGreaterThan(25);
});

describe.each(languages)('%s', (name) => {
  const sentences = JSON.parse(read(name, folder)) as Messages;

  test.each([
    ['the server', ofServer()],
    ['plugins', ofPlugins()],
    ['refusals', ofRefusals()],
    ['orders of certificates', ofOrders()],
    ['the audit log', ofDeeds()],
  ])('says all that %s says', (_, all) => {
    expect([...new Set(all.filter((text) => !(text in sentences)))]).toEqual([]);
  });

  test('says what the audit log puts together, with what it is about where it belongs', () => {
    const catalogue = new Catalogue(sentences);
    const words = (text: string): string[] => (text.match(/[a-z]{3,}/g) ?? []).sort();
    for (const deed of deeds) {
      const text = catalogue.say(deed);
      expect(text, deed).not.toBe(deed);
      const names = deed.match(/[\w-]*[.@][\w.@-]+/g) ?? [];
      expect(words(text), deed).toEqual(words(names.join(' ')));
    }
  });

  test('has the same placeholders, and is another language', () => {
    for (const [sentence, text] of Object.entries(sentences)) {
      expect(placeholders(text), sentence).toEqual(placeholders(sentence));
      expect(text, sentence).not.toBe(sentence);
    }
  });
});

test('parts of a sentence are said as well, and what is unknown stays', () => {
  const catalogue = new Catalogue({
    'It sees the {0}.': '看到{0}。',
    'It sees some of the {0}.': '看到部分{0}。',
    'a (b)': '甲',
    'Nothing of {0}: {1}': '没有{0}：{1}',
    '{0} is away: {1}': '{0}不在：{1}',
  });
  expect(catalogue.say('Nothing of a: x is away: y: z')).toBe('没有a：x不在：y: z');
  expect(catalogue.say('It sees some of the a (b).')).toBe('看到部分甲。');
  expect(catalogue.say('It sees the c.')).toBe('看到c。');
  expect(catalogue.say('{domain} stays')).toBe('{domain} stays');
});
