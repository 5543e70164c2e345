import { request } from '../../api/client';

interface Begun<T> {
  publicKey: T;
}

/** Proves to be somebody by a passkey (WebAuthn §7.2). */
export async function signWithPasskey<T>(): Promise<T> {
  const begun = await request<Begun<PublicKeyCredentialRequestOptionsJSON>>(
    'POST',
    '/session/passkey/begin',
    {
      body: {},
      quiet: true,
    },
  );
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begun.publicKey);
  const credential = await navigator.credentials.get({ publicKey });
  return request<T>('POST', '/session/passkey/finish', { body: toJson(credential), quiet: true });
}

/** Makes a new passkey for whoever is signed in (WebAuthn §7.1); gives recovery codes with the first factor. */
export async function makePasskey(password: string, name: string): Promise<{ recovery?: string[] | null }> {
  const begun = await request<Begun<PublicKeyCredentialCreationOptionsJSON>>('POST', '/me/passkeys/begin', {
    body: { password },
  });
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.publicKey);
  const credential = await navigator.credentials.create({ publicKey });
  return request('POST', '/me/passkeys/finish', { body: { name, credential: toJson(credential) } });
}

function toJson(credential: Credential | null): unknown {
  if (!(credential instanceof PublicKeyCredential)) throw new Error('no passkey');
  return credential.toJSON();
}
