import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Leaves each file beside itself as .gz, so that the server need not pack what it sends. */
export function pack(): Plugin {
  let folder = '';
  return {
    name: 'pack',
    apply: 'build',
    configResolved: (config) => void (folder = resolve(config.root, config.build.outDir)),
    closeBundle: () => {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (/\.(js|css|html|svg|json)$/.test(name)) packed(join(folder, name));
      }
    },
  };
}

function packed(path: string): void {
  const plain = readFileSync(path);
  const small = gzipSync(plain, { level: 9 });
  if (small.length < plain.length) writeFileSync(`${path}.gz`, small);
}
