import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, type Page } from '@playwright/test';
import { expect, watch } from './console';

export const OWNER = 'portia@localhost';
export const PASSWORD = 'the quality of mercy is not strained';

/** A server with a configuration file, as `xylem run` starts it, in a folder of its own. */
export class Configured {
  private constructor(
    readonly url: string,
    /** Where clients connect. */
    readonly line: { c2s: string; c2s_tls: string },
    readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  /** With `more` at the end of its configuration, and `variables` in its environment. */
  static async start(more = '', variables: Record<string, string> = {}): Promise<Configured> {
    const program = process.env.XYLEM_BIN;
    if (!program) throw new Error('XYLEM_BIN is not set; run `cargo xtask console --browse`');
    const folder = mkdtempSync(join(tmpdir(), 'xylem-browser-'));
    // They must stay the same over a restart.
    const [console, c2s, direct, http] = await free(4);
    const file = join(folder, 'xylem.toml');
    writeFileSync(file, configuration(folder, { console, c2s, direct, http }) + more);
    const child = spawn(program, ['--config', file, 'run'], {
      cwd: folder,
      env: { ...process.env, ...variables },
      stdio: ['ignore', 'ignore', process.env.XYLEM_SHOW_LOG ? 'inherit' : 'ignore'],
    });
    const line = { c2s: `127.0.0.1:${c2s}`, c2s_tls: `127.0.0.1:${direct}` };
    const server = new Configured(`https://localhost:${console}`, line, folder, child);
    await server.setupCode();
    return server;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** What the wizard asks for; it lies in a file where the server has no terminal. */
  async setupCode(): Promise<string> {
    for (let tries = 0; tries < 600; tries += 1) {
      if (this.child.exitCode !== null) throw new Error(`the server ended with ${this.child.exitCode}`);
      try {
        return readFileSync(join(this.folder, 'data/setup-code'), 'utf8').trim();
      } catch {
        await new Promise((done) => setTimeout(done, 50));
      }
    }
    throw new Error('there is no code to set the server up with');
  }

  get configuration(): string {
    return readFileSync(join(this.folder, 'xylem.toml'), 'utf8');
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await Promise.race([once(this.child, 'exit'), new Promise((done) => setTimeout(done, 10_000))]);
      if (this.child.exitCode === null) this.child.kill('SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Goes through the wizard as far as it asks, and is signed in as the owner then. */
export async function setUp(page: Page, server: Configured): Promise<void> {
  await page.goto(server.url);
  await page.getByLabel('One-time code').fill(await server.setupCode());
  await page.getByRole('button', { name: 'Next' }).click();
  const go = page.getByRole('button', { name: /^(Next|Set up)$/ });
  for (const step of ['Domain', 'Owner', 'Registration', 'Plugins']) {
    await expect(page.getByRole('heading', { level: 2, name: step })).toBeVisible();
    if (step === 'Owner') {
      await page.getByLabel('Name').fill('portia');
      await page.getByLabel('Password').fill(PASSWORD);
    }
    await go.click();
  }
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
}

/** Tests with a server that has a configuration file and, made by the wizard, an owner. */
export const test = base.extend<{ server: Configured; console: Page }>({
  server: async ({}, use) => {
    const server = await Configured.start();
    await use(server);
    await server.stop();
  },
  console: async ({ page, server }, use) => {
    const wrong = watch(page, server);
    await setUp(page, server);
    await use(page);
    expect(wrong, 'nothing goes wrong in the page, and nothing is asked of other hosts').toEqual([]);
  },
});

interface Ports {
  console?: number;
  c2s?: number;
  direct?: number;
  http?: number;
}

function configuration(folder: string, { console, c2s, direct, http }: Ports): string {
  return `[server]
data = "${join(folder, 'data')}"
drain = "1s"

[domains."localhost"]

[listen]
starttls = ["127.0.0.1:${c2s}"]
direct_tls = ["127.0.0.1:${direct}"]

[sasl]
iterations = 4096

[http]
listen = ["127.0.0.1:${http}"]

[console]
listen = ["127.0.0.1:${console}"]

[plugins."xylem.proxy65"]
listen = ["127.0.0.1:0"]
hosts = ["127.0.0.1"]
`;
}

/** Ports that nobody listens at now. */
export async function free(count: number): Promise<number[]> {
  const listeners = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(listeners.map((it) => once(it, 'listening')));
  const ports = listeners.map((it) => (it.address() as AddressInfo).port);
  await Promise.all(listeners.map((it) => new Promise((done) => it.close(done))));
  return ports;
}
