import { client, xml } from '@xmpp/client';
import type { Server } from './server';

interface Stanza {
  attrs: Record<string, string>;
  getChild(name: string, ns?: string): Stanza | undefined;
  getChildText(name: string): string | null;
  is(name: string): boolean;
}

type Client = ReturnType<typeof client>;

/** Somebody with an ordinary client. */
export class Person {
  private readonly heard: Stanza[] = [];

  private constructor(private readonly xmpp: Client) {}

  static async connect(
    server: Server,
    account: string,
    password: string,
    resource = 'test',
  ): Promise<Person> {
    const [username, domain] = account.split('@');
    // The server's certificate is its own.
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const xmpp = client({ service: `xmpp://${server.line.c2s}`, domain, resource, username, password });
    xmpp.on('error', () => undefined);
    const person = new Person(xmpp);
    xmpp.on('stanza', (stanza: unknown) => person.heard.push(stanza as Stanza));
    await xmpp.start();
    await xmpp.send(xml('presence'));
    return person;
  }

  async say(to: string, text: string): Promise<void> {
    await this.xmpp.send(xml('message', { to, type: 'chat' }, xml('body', {}, text)));
  }

  /** The operating system that the server names (XEP-0092); throws if it does not answer. */
  async os(domain: string): Promise<string | null> {
    const asked = xml('iq', { type: 'get', to: domain }, xml('query', { xmlns: 'jabber:iq:version' }));
    const answer = (await this.xmpp.iqCaller.request(asked, 10_000)) as unknown as Stanza;
    return answer.getChild('query', 'jabber:iq:version')?.getChildText('os') ?? null;
  }

  /** Waits for a message with this text. */
  async hears(text: string): Promise<void> {
    for (let tries = 0; tries < 200; tries += 1) {
      if (this.heard.some((stanza) => stanza.is('message') && stanza.getChildText('body') === text)) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`no message "${text}"`);
  }

  async leave(): Promise<void> {
    await this.xmpp.stop().catch(() => undefined);
  }
}
