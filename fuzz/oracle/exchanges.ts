/** QoS 1 and 2 towards a client, across its connections: identifiers, DUP, redelivery and flow control (sections 2.3.1, 4.3, 4.4 and 4.9). */

import type { Delivery, Exchange } from '../model/delivery.ts';
import { type Life, never } from '../model/life.ts';
import type { Model, Told } from '../model.ts';
import type { Finding } from '../record.ts';
import { broken, type Rule } from './law.ts';
import { restsOf, takesAll } from './rest.ts';

const rules = {
  inUse: { v3: ['v3/2.3.1-4', 'v3/4.3.2-1'], v5: ['v5/2.2.1-4', 'v5/4.3.2-1'] },
  afterPubrel: { v3: ['v3/4.3.3-1'], v5: ['v5/4.3.3-6'] },
  dupAgain: { v3: ['v3/3.3.1-1'], v5: ['v5/3.3.1-1'] },
  dupFirst: { v3: ['v3/3.3.1-3', 'v3/4.3.2-1', 'v3/4.3.3-1'], v5: ['v5/3.3.1-3', 'v5/4.3.2-2', 'v5/4.3.3-2'] },
  again: { v3: ['v3/4.4.0-1', 'v3/4.1.0-1'], v5: ['v5/4.4.0-1', 'v5/4.1~session-state-parts'] },
  flow: { v3: [], v5: ['v5/4.9.0-2', 'v5/3.3.4-9'] },
} as const satisfies Record<string, Rule>;

/** Findings about the exchanges of sessions whose clients acknowledged only what was sent to them. */
export function* judgeExchanges(model: Model): Generator<Finding> {
  if (model.hasFaults) return;
  for (const session of model.sessions) {
    if (!session.known || !session.isSound) continue;
    yield* judgeDup(model, session);
    if (takesAll(session)) {
      yield* judgeIdentifiers(session);
      yield* judgeRedelivery(model, session);
    }
    for (const life of session.lives) yield* judgeFlow(life);
  }
}

/** An identifier stands for one message until its exchange is complete. */
function* judgeIdentifiers({ exchanges }: Told): Generator<Finding> {
  const open = new Map<number, Exchange>();
  for (const exchange of exchanges) {
    const { packetId, first } = exchange;
    const before = open.get(packetId);
    open.set(packetId, exchange);
    if (!before || before.completedAt < first.order) continue;
    const at = { at: first.order };
    const { version } = first.life;
    if (before.releasedAt < first.order && before.first.content === first.content) {
      const expected = 'no PUBLISH of a QoS 2 message after its PUBREL';
      yield broken(
        'PUBLISH after PUBREL',
        { rule: rules.afterPubrel, version },
        { expected, actual: 'the PUBLISH was sent again', ...at },
      );
    } else {
      const expected = 'a Packet Identifier that is not in use';
      yield broken(
        'identifier in use',
        { rule: rules.inUse, version },
        { expected, actual: 'another PUBLISH with an identifier whose exchange is not complete', ...at },
      );
    }
  }
}

/** DUP 1 on what is sent again, and only on that. */
function* judgeDup(model: Model, { deliveries, lives }: Told): Generator<Finding> {
  for (const delivery of deliveries) {
    const { packet, repeats, order, life } = delivery;
    const { version } = life;
    if (packet.qos === 0) continue;
    if (repeats && !packet.dup && repeats.life !== life) {
      const expected = 'DUP 1 in a PUBLISH that is sent again';
      yield broken(
        'DUP 0 in a redelivery',
        { rule: rules.dupAgain, version },
        { expected, actual: 'DUP 0', at: order },
      );
    }
    if (!repeats && packet.dup && isFirst(model, delivery, lives)) {
      const expected = 'DUP 0 in a PUBLISH that is sent for the first time';
      yield broken(
        'DUP 1 in a first delivery',
        { rule: rules.dupFirst, version },
        { expected, actual: 'DUP 1', at: order },
      );
    }
  }
}

/** Whether a message cannot have been sent to this client before: on no connection before this one, or because it is newer. */
function isFirst({ byContent }: Model, { life, content, order }: Delivery, lives: readonly Life[]): boolean {
  if (lives[0] === life) return lives.indexOf(life) === 0;
  const publications = (byContent.get(content) ?? []).filter((each) => each.order < order);
  const since = life.connack?.order ?? never;
  return publications.length > 0 && publications.every((each) => !each.isWill && each.order > since);
}

/** What was not acknowledged comes again when the session is resumed (section 4.4). */
function* judgeRedelivery(model: Model, session: Told): Generator<Finding> {
  const judged = new Set<Exchange>();
  for (const { life, pongAt, readsSince } of restsOf(model, session)) {
    // What goes out again may have been held back for a client that did not read.
    if (readsSince >= 0) continue;
    const { connect, received, version } = life;
    const came = received.filter(({ order }) => order < pongAt);
    for (const exchange of session.exchanges) {
      const { first, packetId, acknowledgedAt, completedAt, releasedAt } = exchange;
      // Only what was begun before this connection, and left as it was.
      if (first.order > connect.order || completedAt < connect.order) continue;
      const isAcknowledged = acknowledgedAt < connect.order;
      const isReleased = releasedAt < connect.order;
      const right = came.some(({ packet }) =>
        packet.type === 'PUBREL'
          ? isAcknowledged && packet.packetId === packetId
          : packet.type === 'PUBLISH' && !isReleased && packet.packetId === packetId,
      );
      if (right || judged.has(exchange)) continue;
      judged.add(exchange);
      const what = isReleased ? 'PUBREL' : isAcknowledged ? 'PUBLISH or PUBREL' : 'PUBLISH';
      const expected = `the ${what} of an exchange that is not complete again, with its Packet Identifier`;
      const actual = `nothing of the exchange of QoS ${first.packet.qos} that was begun on an earlier connection`;
      yield broken(`lost redelivery of ${what}`, { rule: rules.again, version }, { expected, actual, at: pongAt });
    }
  }
}

/** Receive Maximum: so many PUBLISH packets without PUBACK or PUBCOMP on a connection (section 4.9). */
function* judgeFlow({ version, connect, both }: Life): Generator<Finding> {
  const most = connect.packet.properties?.receiveMaximum;
  if (version !== 'v5' || most === undefined) return;
  const open = new Set<number>();
  for (const { by, order, packet } of both) {
    if (by === 'broker' && packet.type === 'PUBLISH' && packet.packetId !== undefined) {
      open.add(packet.packetId);
      if (open.size <= most) continue;
      const expected = `at most ${most} messages without PUBACK or PUBCOMP, as Receive Maximum says`;
      yield broken(
        'Receive Maximum exceeded',
        { rule: rules.flow, version },
        { expected, actual: `${open.size} of them`, at: order },
      );
      return;
    }
    const completes = /^PUB(ACK|COMP)$/.test(packet.type) || (packet.type === 'PUBREC' && (packet.code ?? 0) >= 0x80);
    if (by === 'client' && completes && 'packetId' in packet && packet.packetId !== undefined)
      open.delete(packet.packetId);
  }
}
