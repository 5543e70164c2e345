import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What `xylem dev` prints once it answers. */
export interface Line {
  c2s: string;
  c2s_tls: string;
  domain: string;
  console: string;
  setup_code: string | null;
}

export const ADMIN = 'admin@localhost';
export const PASSWORD = 'correct horse battery staple';

/** A throw-away server; it ends with this process or by `stop`. */
export class Server {
  private constructor(
    readonly line: Line,
    private readonly child: ChildProcess,
  ) {}

  /** With an owner, or as it is when it is started for the first time. */
  static async start(owned = true): Promise<Server> {
    const program = process.env.XYLEM_BIN;
    if (!program) throw new Error('XYLEM_BIN is not set; run `cargo xtask console --browse`');
    const more = owned ? ['--admin', ADMIN] : [];
    const child = spawn(program, ['dev', '--backend', 'memory', ...more], {
      env: { ...process.env, XYLEM_ADMIN_PASSWORD: PASSWORD },
      stdio: ['pipe', 'pipe', process.env.XYLEM_SHOW_LOG ? 'inherit' : 'ignore'],
    });
    const lines = createInterface({ input: child.stdout });
    const first = await Promise.race([
      once(lines, 'line').then(([line]) => String(line)),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`))),
    ]);
    return new Server(JSON.parse(first) as Line, child);
  }

  get url(): string {
    return this.line.console.replace(/\/$/, '');
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    this.child.kill('SIGTERM');
    await Promise.race([once(this.child, 'exit'), new Promise((done) => setTimeout(done, 10_000))]);
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
  }
}
