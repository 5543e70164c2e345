declare module '@xmpp/client' {
  interface Options {
    service: string;
    domain?: string;
    resource?: string;
    username?: string;
    password?: string;
  }

  interface Client {
    on(event: string, listener: (it: unknown) => void): void;
    start(): Promise<unknown>;
    stop(): Promise<unknown>;
    send(element: unknown): Promise<void>;
  }

  export function client(options: Options): Client;
  export function xml(name: string, attributes?: Record<string, string>, ...children: unknown[]): unknown;
}
