/** Every row of the table of malformed packets: the server closes the connection that such a packet comes on. */

import { type Case, type Chapter, type Context, chapter, section } from '../harness/case.ts';
import { type RequirementId, requirement, sectionTitle, type Version } from '../harness/spec/index.ts';
import { pingreq, publish, text } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import { examples, type MalformedExample } from '../harness/wire/examples.ts';
import { judge, malformed, type Outcomes, refused } from './refusal.ts';
import type { Peer } from './session.ts';

const rows: readonly MalformedExample[] = [...examples.v3.malformed, ...examples.v5.malformed];

/** The bytes of a row, made with the names of this case. */
function bytesOf(row: MalformedExample, { topic, clientId, connectPacket }: Context): Uint8Array {
  // What ends within a user name or a password is cut from those of the table: the target's may be of one character.
  if (row.id.startsWith('connect-cut-')) return row.bytes(topic, clientId());
  const { userName, password } = connectPacket();
  return row.bytes(topic, clientId(), { userName, password });
}

/** What may follow a malformed CONNECT: in 5.0 a CONNACK that says what is wrong with it. */
function outcomesOf({ codes }: MalformedExample): Outcomes {
  return { ...malformed, v5: refused(...codes) };
}

/** A malformed CONNECT gets no CONNACK in 3.1.1; one that refuses is tolerated. */
async function expectNoConnack(context: Context, row: MalformedExample): Promise<void> {
  const client = await context.open();
  client.sendBytes(bytesOf(row, context), row.title);
  if (isMalformedConnect(row)) return leaveNothing(context, row, client, () => judge(context, client, outcomesOf(row)));
  // A broker may close a connection on which no CONNECT has come for a while: that would be too late.
  await client.expectClose({ withinMs: context.timeoutMs / 2 });
}

/** Any other malformed packet ends the connection, and is not answered. */
async function expectClosed(context: Context, row: MalformedExample): Promise<void> {
  const client = await context.connect();
  sendWithPingreq(client, context, row);
  await leaveNothing(context, row, client, () => client.expectClose({ reasons: row.codes }));
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

/** A violation of the protocol ends the connection. */
const closes = { v3: 'v3/4.8.0-1', v5: 'v5/4.13.1-1' } as const satisfies Record<Version, RequirementId>;

function isMalformedConnect(row: MalformedExample): boolean {
  return row.when === 'first' && row.requirements.some((id) => id === 'v3/3.1.4-1' || id === 'v5/3.1.4-1');
}

function caseOf(row: MalformedExample): Case {
  const connectRefused = isMalformedConnect(row);
  const run =
    row.when === 'first' ? expectNoConnack : row.id.startsWith('disconnect-') ? expectNotDisconnected : expectClosed;
  return {
    id: row.id,
    title: `closes the connection on ${row.title}${connectRefused && row.version === 'v3' ? ', without a CONNACK' : ''}`,
    covers: connectRefused ? row.requirements : [...new Set([...row.requirements, closes[row.version]])],
    strength: row.strength,
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
  const inOrder = new Intl.Collator('en', { numeric: true });
  return (['v3', 'v5'] as const).flatMap((version) => {
    const own = groupBy(
      rows.filter((row) => row.version === version),
      sectionOf,
    );
    return [...own].sort(([a], [b]) => inOrder.compare(a, b)).map(([title, some]) => section(title, some.map(caseOf)));
  });
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

export const malformedPackets = chapter('Malformed packets', ...sections());
