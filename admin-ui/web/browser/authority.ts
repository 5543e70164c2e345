import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { free } from './configured';

/** A certificate authority that speaks ACME: Debian's `pebble`, on loopback, for which every name is this machine. */
export class Authority {
  private constructor(
    readonly directory: string,
    /** For the server's configuration: whom it asks, and where it answers. */
    readonly settings: string,
    private readonly folder: string,
    private readonly children: ChildProcess[],
  ) {}

  static installed(): boolean {
    const folders = (process.env.PATH ?? '').split(':');
    return ['pebble', 'pebble-challtestsrv', 'openssl'].every((program) =>
      folders.some((folder) => existsSync(join(folder, program))),
    );
  }

  static async start(): Promise<Authority> {
    const folder = mkdtempSync(join(tmpdir(), 'xylem-authority-'));
    const [api = 0, management = 0, dns = 0, names = 0, http = 0, tls = 0] = await free(6);
    const at = (port: number): string => `127.0.0.1:${port}`;
    const file = (name: string): string => join(folder, name);
    certify(file);
    const pebble = {
      listenAddress: at(api),
      managementListenAddress: at(management),
      certificate: file('own.pem'),
      privateKey: file('own.key'),
      httpPort: http,
      tlsPort: tls,
    };
    writeFileSync(file('pebble.json'), JSON.stringify({ pebble }));
    const quiet = { stdio: 'ignore', env: { ...process.env, PEBBLE_VA_NOSLEEP: '1' } } as const;
    const resolver = [
      '-dns01',
      at(dns),
      '-management',
      at(names),
      '-defaultIPv4',
      '127.0.0.1',
      '-defaultIPv6',
      '',
    ];
    const nothing = ['-http01', '', '-https01', '', '-tlsalpn01', ''];
    const children = [
      spawn('pebble-challtestsrv', [...resolver, ...nothing], quiet),
      spawn('pebble', ['-config', file('pebble.json'), '-dnsserver', at(dns)], quiet),
    ];
    await answers(api);
    const settings = `\n[acme]\nroots = "${file('root.pem')}"\nhttp = ["${at(http)}"]\n`;
    return new Authority(`https://localhost:${api}/dir`, settings, folder, children);
  }

  /** It answers no more. */
  silence(): void {
    for (const child of this.children) child.kill('SIGKILL');
  }

  stop(): void {
    this.silence();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What the authority itself shows, and who vouches for it. */
function certify(file: (name: string) => string): void {
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const root = ['-keyout', file('root.key'), '-out', file('root.pem'), '-days', '2'];
  openssl('req', '-x509', ...key, ...root, '-subj', '/CN=root');
  openssl('req', ...key, '-keyout', file('own.key'), '-out', file('own.csr'), '-subj', '/CN=localhost');
  writeFileSync(file('own.ext'), 'subjectAltName = DNS:localhost\n');
  const by = ['-CA', file('root.pem'), '-CAkey', file('root.key'), '-CAcreateserial', '-days', '2'];
  openssl(
    'x509',
    '-req',
    '-in',
    file('own.csr'),
    ...by,
    '-extfile',
    file('own.ext'),
    '-out',
    file('own.pem'),
  );
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const there = await new Promise((done) => {
      const socket = connect(port, '127.0.0.1', () => (socket.destroy(), done(true)));
      socket.on('error', () => done(false));
    });
    if (there) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('pebble does not answer');
}
