/** Every row of the table of malformed packets: the server closes the connection that such a packet comes on. */

import { type Case, type Chapter, type Context, chapter, section } from '../harness/case.ts';
import { type RequirementId, requirement, sectionTitle } from '../harness/spec/index.ts';
import { pingreq, publish, text } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import { type MalformedExample, malformed as rows } from '../harness/wire/examples.ts';
import { judge, malformed } from './refusal.ts';
import type { Peer } from './session.ts';

/** The bytes of a row, made with the names of this case. */
function bytesOf(row: MalformedExample, { topic, clientId, connectPacket }: Context): Uint8Array {
  // What ends within a user name or a password is cut from those of the table: the target's may be of one character.
  if (row.id.startsWith('connect-cut-')) return row.bytes(topic, clientId());
  const { userName, password } = connectPacket();
  return row.bytes(topic, clientId(), { userName, password });
}

/** A malformed CONNECT gets no CONNACK; one that refuses is tolerated. */
async function expectNoConnack(context: Context, row: MalformedExample): Promise<void> {
  const client = await context.open();
  client.sendBytes(bytesOf(row, context), row.title);
  if (isMalformedConnect(row)) return leaveNothing(context, row, client, () => judge(context, client, malformed));
  // A broker may close a connection on which no CONNECT has come for a while: that would be too late.
  await client.expectClose({ withinMs: context.timeoutMs / 2 });
}

/** Any other malformed packet ends the connection, and is not answered. */
async function expectClosed(context: Context, row: MalformedExample): Promise<void> {
  const client = await context.connect();
  sendWithPingreq(client, context, row);
  await leaveNothing(context, row, client, () => client.expectClose());
}

/** Judges, and removes what a broker keeps that takes the packet for well-formed: a session, or a retained message. */
async function leaveNothing(
  context: Context,
  { id }: MalformedExample,
  client: Peer,
  judged: () => Promise<unknown>,
): Promise<void> {
  try {
    await judged();
  } finally {
    if (/retain|clean-0/.test(id)) {
      await client.disconnect();
      const cleaner = await context.connect({ name: 'cleaner', clientId: context.clientId() });
      cleaner.send(publish({ topic: context.topic, retain: true }));
      await cleaner.disconnect();
    }
  }
}

/** Sends a packet and a PINGREQ in one segment: a careless reader of the packet takes the rest of it from there. */
function sendWithPingreq(client: Peer, context: Context, row: MalformedExample): void {
  client.sendBytes(
    Buffer.concat([bytesOf(row, context), encode(pingreq(), row.version)]),
    `${row.title}, and a PINGREQ`,
  );
}

/**
 * After a DISCONNECT the connection closes one way or the other. What tells that it was refused is that a PINGREQ behind
 * it goes without an answer, and the will is published.
 */
async function expectNotDisconnected(context: Context, row: MalformedExample): Promise<void> {
  const { connect, topic, nonStrict } = context;
  const watcher = await connect({ name: 'watcher' });
  await watcher.subscribe(topic);
  const client = await connect({ name: 'client', will: { topic, payload: 'will' } });
  sendWithPingreq(client, context, row);
  await client.expectClose();
  // Whether there is a will: that of a client that is dropped now comes later.
  const fence = await connect({ name: 'fence', will: { topic, payload: 'fence' } });
  fence.drop();
  if (text((await watcher.receive()).payload) === 'will') return;
  nonStrict('closes the connection, but takes the malformed DISCONNECT for one: the will is not published');
}

function isMalformedConnect(row: MalformedExample): boolean {
  return row.when === 'first' && row.requirements.includes('v3/3.1.4-1');
}

function caseOf(row: MalformedExample): Case {
  const connectRefused = isMalformedConnect(row);
  const run =
    row.when === 'first' ? expectNoConnack : row.id.startsWith('disconnect-') ? expectNotDisconnected : expectClosed;
  return {
    id: row.id,
    title: `closes the connection on ${row.title}${connectRefused ? ', without a CONNACK' : ''}`,
    covers: connectRefused ? row.requirements : [...row.requirements, 'v3/4.8.0-1'],
    tags: ['malformed'],
    run: (context) => run(context, row),
  };
}

/** The section that a row stands in: that of the first requirement which it breaks. */
function sectionOf({ version, requirements: [first] }: MalformedExample): string {
  const { section: number } = requirement(first as RequirementId);
  return `${number} ${sectionTitle(version, number) ?? ''}`.trim();
}

function sections(): Chapter['sections'] {
  const bySection = new Map<string, Case[]>();
  for (const row of rows) {
    const title = sectionOf(row);
    bySection.set(title, [...(bySection.get(title) ?? []), caseOf(row)]);
  }
  const inOrder = new Intl.Collator('en', { numeric: true });
  return [...bySection].sort(([a], [b]) => inOrder.compare(a, b)).map(([title, cases]) => section(title, cases));
}

export const malformedPackets = chapter('Malformed packets', ...sections());
