import { client, xml } from '@xmpp/client';

interface Stanza {
  attrs: Record<string, string>;
  getChild(name: string, ns?: string): Stanza | undefined;
  getChildText(name: string): string | null;
  is(name: string): boolean;
}

const refusalOf = (stanza: Stanza): string =>
  stanza.getChild('error')?.getChildText('text') ?? 'refused without a word';

/** What it calls itself (XEP-0115 §4). */
const CAPABILITIES = {
  xmlns: 'http://jabber.org/protocol/caps',
  hash: 'sha-1',
  node: 'https://www.argosy.example/client',
  ver: 'zHyEOgxTrkpSdGcQKH8EFPLsriY=',
};

type Client = ReturnType<typeof client>;

/** Somebody with an ordinary client. */
export class Person {
  private readonly heard: Stanza[] = [];
  private asked = 0;
  /** How often the connection has ended; it is made again by itself. */
  partings = 0;
  connected = false;

  private constructor(private readonly xmpp: Client) {}

  static async connect(
    server: { line: { c2s: string; c2s_tls: string } },
    account: string,
    password: string,
    resource = 'test',
    /** With TLS from the first byte (XEP-0368), not by STARTTLS. */
    direct = false,
  ): Promise<Person> {
    const [username, domain] = account.split('@');
    // The server's certificate is its own.
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const service = direct ? `xmpps://${server.line.c2s_tls}` : `xmpp://${server.line.c2s}`;
    const xmpp = client({ service, domain, resource, username, password });
    xmpp.on('error', () => undefined);
    const person = new Person(xmpp);
    xmpp.on('stanza', (stanza: unknown) => person.heard.push(stanza as Stanza));
    xmpp.on('online', () => (person.connected = true));
    xmpp.on('disconnect', () => {
      person.connected = false;
      person.partings += 1;
    });
    // What `start` promises is not waited for: it listens for the server's stream only once its own header
    // is written, and misses an answer that came sooner, though the login goes on and succeeds.
    const online = new Promise((done) => xmpp.on('online', done));
    await Promise.race([online, new Promise((_, fail) => void xmpp.start().catch(fail))]);
    await xmpp.send(xml('presence', {}, xml('c', CAPABILITIES)));
    return person;
  }

  async say(to: string, text: string): Promise<void> {
    await this.xmpp.send(xml('message', { to, type: 'chat' }, xml('body', {}, text)));
  }

  /** Enters a room (XEP-0045 §7.2) and waits until it is in it. */
  async enter(room: string, nick: string): Promise<void> {
    const to = `${room}/${nick}`;
    await this.xmpp.send(xml('presence', { to }, xml('x', { xmlns: 'http://jabber.org/protocol/muc' })));
    await this.hear((stanza) => stanza.is('presence') && stanza.attrs.from === to, `to be in ${room}`);
  }

  /** Keeps a card with this name (XEP-0054 §3.2). */
  async publishCard(name: string): Promise<void> {
    const id = `asked-${(this.asked += 1)}`;
    const card = xml('vCard', { xmlns: 'vcard-temp' }, xml('FN', {}, name));
    await this.xmpp.send(xml('iq', { type: 'set', id }, card));
    await this.hear((it) => it.is('iq') && it.attrs.id === id && it.attrs.type === 'result', 'kept card');
  }

  /** The operating system that the server names (XEP-0092); throws if it does not answer. */
  async os(domain: string): Promise<string | null> {
    // Not by the client's own way of asking: an error that comes sooner than its `send` ends is a
    // rejection that nobody handles.
    const id = `asked-${(this.asked += 1)}`;
    const query = xml('query', { xmlns: 'jabber:iq:version' });
    await this.xmpp.send(xml('iq', { type: 'get', to: domain, id }, query));
    const answer = await this.hear((it) => it.is('iq') && it.attrs.id === id, 'answer');
    if (answer.attrs.type !== 'result') throw new Error(`${domain} does not say`);
    return answer.getChild('query', 'jabber:iq:version')?.getChildText('os') ?? null;
  }

  /** Has an ad-hoc command done with these fields (XEP-0050 §3); its status, or the text of its refusal. */
  async command(domain: string, node: string, fields: Record<string, string>): Promise<string> {
    const filled = Object.entries(fields).map(([name, value]) =>
      xml('field', { var: name }, xml('value', {}, value)),
    );
    const form = xml('x', { xmlns: 'jabber:x:data', type: 'submit' }, ...filled);
    const first = await this.asks(domain, { node });
    const sessionid = first.getChild('command')?.attrs.sessionid;
    if (!sessionid) return refusalOf(first);
    const second = await this.asks(domain, { node, sessionid }, form);
    return second.getChild('command')?.attrs.status ?? refusalOf(second);
  }

  private async asks(to: string, command: Record<string, string>, form?: unknown): Promise<Stanza> {
    const id = `asked-${(this.asked += 1)}`;
    const inside = xml(
      'command',
      { xmlns: 'http://jabber.org/protocol/commands', ...command },
      form as string,
    );
    await this.xmpp.send(xml('iq', { type: 'set', to, id }, inside));
    return this.hear((it) => it.is('iq') && it.attrs.id === id, `answer to ${command.node}`);
  }

  /** Waits for a message with this text. */
  async hears(text: string): Promise<void> {
    await this.hear((it) => it.is('message') && it.getChildText('body') === text, `message "${text}"`);
  }

  private async hear(wanted: (stanza: Stanza) => boolean, what: string): Promise<Stanza> {
    for (let tries = 0; tries < 200; tries += 1) {
      const found = this.heard.find(wanted);
      if (found) return found;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`no ${what}`);
  }

  async leave(): Promise<void> {
    await this.xmpp.stop().catch(() => undefined);
  }
}
