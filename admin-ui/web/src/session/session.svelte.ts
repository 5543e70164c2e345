import { forgetOperations, loadOperations } from '../api/operations.svelte';
import { onSignedOut, request, useToken } from '../api/client';
import { silence } from '../api/live.svelte';
import { Problem } from '../api/problem';
import { close } from '../confirm/act.svelte';
import { reply } from '../confirm/confirm.svelte';
import { suggest } from '../i18n/language.svelte';
import { arrive } from '../route/router.svelte';

export type Role = 'owner' | 'administrator' | 'operator' | 'auditor' | 'user';

/** Who is signed in. */
export interface Session {
  account: string;
  role: Role;
  /** The domains that an administrator or operator may see; null for all. */
  domains: string[] | null;
  language?: string | null;
  csrf: string;
  setup?: boolean;
}

export type Stage = 'asking' | 'setup' | 'signin' | 'in' | 'unreachable';

let stage = $state<Stage>('asking');
let session = $state.raw<Session | null>(null);
/** True after a session ended by itself, so that the sign-in page can say so. */
let ended = $state(false);

export const who = {
  get stage(): Stage {
    return stage;
  },
  get session(): Session | null {
    return session;
  },
  get ended(): boolean {
    return ended;
  },
};

onSignedOut(() => {
  if (stage === 'in') leave(true);
});

/** Finds out where we stand: signed in, to sign in, or to set the server up first. */
export async function ask(): Promise<void> {
  try {
    await enter(await request<Session>('GET', '/session', { quiet: true }));
  } catch (error) {
    if (!(error instanceof Problem) || error.status === 0) {
      stage = 'unreachable';
      return;
    }
    stage = (await needsSetup()) ? 'setup' : 'signin';
  }
}

/** Goes on with a session that the server has just given. */
export async function enter(given: Session): Promise<void> {
  if (given.setup) {
    stage = 'setup';
    return;
  }
  useToken(given.csrf);
  await suggest(given.language);
  await loadOperations(given);
  session = given;
  ended = false;
  // Whoever was at a form is taken to the page; whoever opens it is where the browser starts.
  if (stage === 'signin' || stage === 'setup') arrive();
  stage = 'in';
}

export async function signOut(): Promise<void> {
  await request('DELETE', '/session', { quiet: true }).catch(() => undefined);
  leave(false);
}

function leave(byItself: boolean): void {
  // What was asked of the one who is gone is not the next one's to answer.
  reply(false);
  close(null);
  silence();
  forgetOperations();
  useToken('');
  session = null;
  ended = byItself;
  stage = 'signin';
}

// Once the server has an owner there is nothing to be set up, and no such address.
async function needsSetup(): Promise<boolean> {
  const answer = await request<unknown>('GET', '/setup', { quiet: true }).catch(() => null);
  return answer !== null;
}
