// xmpp.js logs in by SASL2, binds and enables stream management along with it, gets a
// token, comes back with the token alone, and goes on after its connection broke.
//
// XYLEM_XMPPJS is the folder in which it is installed; for the others see steps.py.

import { once } from "node:events";
import { pathToFileURL } from "node:url";

const { XYLEM_HOST, XYLEM_PORT, XYLEM_DOMAIN, XYLEM_ROMEO, XYLEM_PASSWORD, XYLEM_XMPPJS } = process.env;
const library = pathToFileURL(`${XYLEM_XMPPJS}/node_modules/@xmpp/client/index.js`);
const { client, xml } = await import(library);

const STEP = 15_000;
const username = XYLEM_ROMEO.split("@")[0];
const userAgent = xml("user-agent", { id: "d4565fa7-4d72-4749-b3d3-740edbf87770" }, [
  xml("software", {}, "xmpp.js"),
  xml("device", {}, "test"),
]);

async function step(name, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing in ${STEP} ms`)), STEP);
  });
  try {
    const result = await Promise.race([promise, late]);
    console.log(`done: ${name}`);
    return result;
  } catch (error) {
    console.log(`failed: ${name}: ${error.stack ?? error}`);
    process.exit(1);
  } finally {
    clearTimeout(timer);
  }
}

function expect(truth, what) {
  if (!truth) throw new Error(what);
}

function connect(credentials, token) {
  const xmpp = client({
    service: `xmpp://${XYLEM_HOST}:${XYLEM_PORT}`,
    domain: XYLEM_DOMAIN,
    resource: "xmppjs",
    userAgent,
    credentials: async (authenticate, mechanisms, fast) => {
      expect(mechanisms.length > 0, "no mechanisms by SASL2");
      await authenticate({ username, ...credentials, token: (await fast.fetch()) ?? token }, mechanisms[0], userAgent);
    },
  });
  const seen = [];
  xmpp.on("element", (element) => seen.push(element));
  xmpp.on("error", (error) => console.log(`error: ${error}`));
  return { xmpp, seen };
}

function success(seen) {
  const element = seen.findLast((e) => e.is("success", "urn:xmpp:sasl:2"));
  expect(element, "no success by SASL2");
  return element;
}

async function talkToOneself(xmpp, id) {
  const heard = new Promise((resolve) => {
    xmpp.on("stanza", (stanza) => stanza.is("message") && stanza.attrs.id === id && resolve());
  });
  await xmpp.send(xml("message", { to: xmpp.jid, id, type: "chat" }, xml("body", {}, id)));
  await heard;
}

// With the password.
const first = connect({ password: XYLEM_PASSWORD });
const jid = await step("login by SASL2 and Bind 2", first.xmpp.start());
await step("a token, a session and stream management at once", (async () => {
  const answer = success(first.seen);
  expect(answer.getChild("bound", "urn:xmpp:bind:0"), "nothing bound");
  expect(answer.getChild("bound").getChild("enabled", "urn:xmpp:sm:3"), "no stream management");
  expect(answer.getChild("token", "urn:xmpp:fast:0"), "no token");
  expect(jid.resource.startsWith("xmppjs/"), `an odd resource: ${jid.resource}`);
})());
await step("a message to oneself", talkToOneself(first.xmpp, "first"));
const token = await first.xmpp.fast.fetchToken();
await step("logout", first.xmpp.stop());

// With the token, and nothing else.
const second = connect({ password: "not the password" }, token);
const again = await step("login by FAST", second.xmpp.start());
await step("the same address, and by the token", (async () => {
  expect(again.toString() === jid.toString(), `${again} is not ${jid}`);
  const failures = second.seen.filter((e) => e.is("failure", "urn:xmpp:sasl:2"));
  expect(failures.length === 0, "the token was refused");
})());
await step("another message", talkToOneself(second.xmpp, "second"));

// The connection breaks.
const resumed = once(second.xmpp.streamManagement, "resumed");
await second.xmpp.fast.saveToken(token);
second.xmpp.socket.end?.();
second.xmpp.socket.destroy?.();
await step("the session goes on over another connection", resumed);
await step("resumed along with the login", (async () => {
  expect(success(second.seen).getChild("resumed", "urn:xmpp:sm:3"), "not in the success");
})());
await step("one more message", talkToOneself(second.xmpp, "third"));
await step("goodbye", second.xmpp.stop());
console.log("all steps done");
