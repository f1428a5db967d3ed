/** Which messages reach a subscription: those whose Topic Name matches its Topic Filter, and no others (section 4.7). */

import type { Case, Context } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { publish, subscribe, text } from '../harness/wire/build.ts';
import type { Publish } from '../harness/wire/packet.ts';
import type { Peer } from './session.ts';

/** A Topic Filter and Topic Names; `{t}` stands for the case's own topic, `{k}` for its token. */
export interface Match {
  readonly filter: string;
  /** Topic Names that match: one at least. */
  readonly matching: readonly string[];
  /** Topic Names that do not match. */
  readonly others: readonly string[];
  /** A broker may take no messages to such topics: it has no way to say so but to close the connection (v3/3.3.5-2). */
  readonly refusable?: true;
}

/** Whether the messages are published while the subscription is there, or retained before it is made. */
export type When = 'live' | 'retained';

/** A row of the matrix of filters and names. */
export interface Row extends Match {
  readonly id: string;
  readonly title: string;
  /** Filters without the case's own topic are not tried on retained messages: those of others would come as well. */
  readonly live?: true;
}

/** The cases of a row: messages published while the subscription is there, and retained messages that it finds. */
export function matrix(covers: readonly RequirementId[], rows: readonly Row[]): Case[] {
  return rows.flatMap((row) => {
    const { id, title, live } = row;
    const needs = /[+#]/.test(row.filter) ? (['wildcards'] as const) : [];
    const now: Case = { id, title, covers, needs, run: (context) => expectMatching(context, row) };
    const kept: Case = {
      covers,
      needs: ['retain', ...needs],
      id: `${id}-retained`,
      title: `${title}, among retained messages`,
      run: (context) => expectMatching(context, row, 'retained'),
    };
    return live ? [{ ...now, tags: ['top-level'] }] : [now, kept];
  });
}

/**
 * Publishes to all the topics, and receives the messages that match the filter, each unchanged, and none of the others. In
 * any order and as often as the broker likes: both are the matter of other cases. Throws Violation.
 */
export async function expectMatching(context: Context, match: Match, when: When = 'live'): Promise<void> {
  const { filter, matching, others } = filledIn(context, match);
  const publisher = await context.connect({ name: 'publisher' });
  const subscriber = await context.connect({ name: 'subscriber' });
  if (when === 'live') await subscribeTo(context, subscriber, filter);
  // What is taken for another name does harm when it comes last: then it has taken the place of a retained message.
  const topics = when === 'live' ? [...others, ...matching] : [...matching, ...others];
  try {
    if (when === 'live') for (const topic of topics) await publishTo(context, publisher, topic);
    else await retain(context, publisher, topics);
  } catch (reason) {
    if (!match.refusable || !(await publisher.isClosed(0))) throw reason;
    context.notApplicable(`the broker closes the connection on a message to one of ${topics.map(shown).join(', ')}`);
  }
  if (when === 'retained') await subscribeTo(context, subscriber, filter);
  const missing = new Set(matching);
  while (missing.size > 0) {
    const message = await nextMessage(context, subscriber, `a message to ${[...missing].map(shown).join(', ')}`);
    check(context, message, matching);
    missing.delete(message.topic);
  }
  // Whatever reaches this subscription by mistake was published before, and would come before.
  const [open = ''] = matching;
  await publishTo(context, publisher, open, { words: 'fence ' });
  for (;;) {
    const message = await nextMessage(context, subscriber, `a second message to ${shown(open)}`);
    if (message.topic === open && text(message.payload).startsWith(`${context.token} fence`)) break;
    check(context, message, matching);
  }
  await subscriber.fence();
  for (const message of subscriber.waiting) if (isOwn(message, context)) check(context, message, matching);
}

/** A filter or name with this case's topic for `{t}` and its token for `{k}`. */
export function fill(pattern: string, { topic, token }: Context): string {
  return pattern.replaceAll('{t}', topic).replaceAll('{k}', token);
}

function filledIn(context: Context, { filter, matching, others }: Match): Match {
  const filled = (pattern: string) => fill(pattern, context);
  return { filter: filled(filter), matching: matching.map(filled), others: others.map(filled) };
}

/** Subscribes with QoS 0. A broker may refuse a filter, but has no reason to close the connection. */
async function subscribeTo({ notApplicable }: Context, subscriber: Peer, filter: string): Promise<void> {
  subscriber.send(subscribe(1, [filter, 0]));
  const { codes } = await subscriber.pick('SUBACK', { packetId: 1 });
  if ((codes[0] ?? 0x80) >= 0x80) notApplicable(`the broker refuses the subscription to ${shown(filter)}`);
}

/** Publishes with QoS 1; the payload names the topic, so that a changed Topic Name is noticed. A server of 5.0 may refuse it. */
async function publishTo(
  { token, notApplicable }: Context,
  publisher: Peer,
  topic: string,
  { words = '', retain = false } = {},
): Promise<void> {
  const packetId = publisher.freshId();
  publisher.send(publish({ topic, payload: `${token} ${words}${topic}`, qos: 1, packetId, retain }));
  const { code: answer = 0 } = await publisher.pick('PUBACK', { packetId });
  if (answer >= 0x80) notApplicable(`the broker refuses the PUBLISH to ${shown(topic)} (${code(answer)})`);
}

/**
 * Leaves a retained message under each topic. Their author is subscribed to them: when a message has come back to it, the
 * broker has sent it to all who are subscribed, and who subscribes from now on can only get what is retained.
 */
async function retain(context: Context, publisher: Peer, topics: readonly string[]): Promise<void> {
  const codes = await publisher.request(...topics.map((topic) => [topic, 0] as const));
  for (const [index, topic] of topics.entries()) {
    await publishTo(context, publisher, topic, { retain: true });
    if ((codes[index] ?? 0x80) < 0x80) await publisher.pick('PUBLISH', { topic });
  }
}

/** The next message of this case. On a top-level wildcard the broker's own reports of its clients may come as well. */
async function nextMessage(context: Context, subscriber: Peer, expected: string): Promise<Publish> {
  for (;;) {
    const packet = await subscriber.next();
    if (packet?.type === 'PUBLISH' && !isOwn(packet, context)) continue;
    if (packet?.type === 'PUBLISH') return packet;
    const instead = (await subscriber.isClosed(0)) ? 'the connection closed' : 'no message';
    return context.fail(expected, packet?.type ?? instead);
  }
}

function isOwn({ payload }: Publish, { token }: Context): boolean {
  return text(payload).startsWith(`${token} `);
}

function check({ fail }: Context, { topic, payload }: Publish, matching: readonly string[]): void {
  if (!matching.includes(topic)) fail('only messages whose Topic Name matches', `PUBLISH to ${shown(topic)}`);
  const sentTo = text(payload).replace(/^\S+ (fence )?/, '');
  if (sentTo !== topic) fail(`a message with its Topic Name ${shown(sentTo)}`, `PUBLISH to ${shown(topic)}`);
}

/** A topic for people: quoted, with unusual characters escaped, and not too long. */
export function shown(topic: string): string {
  const cut = topic.length > 60 ? `${topic.slice(0, 60)}…` : topic;
  const quoted = cut.replace(/[^\x20-\x7e…]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}}`;
  });
  return topic.length > 60 ? `'${quoted}' (${topic.length} characters)` : `'${quoted}'`;
}
