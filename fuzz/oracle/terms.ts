/** What a client of 5.0 said in its CONNECT that it does not take, and what the server may say in CONNACK (sections 3.1.2.11 and 3.2.2.3). */

import type { RequirementId } from '../../harness/spec/index.ts';
import type { Packet, Properties, Publish } from '../../harness/wire/packet.ts';
import { isLetIn, type Life } from '../model/life.ts';
import type { Model } from '../model.ts';
import type { Finding } from '../record.ts';
import { broken } from './law.ts';

/** Findings about packets that a client has ruled out. */
export function* judgeTerms({ lives }: Model): Generator<Finding> {
  for (const life of lives) {
    if (life.version !== 'v5' || !isLetIn(life)) continue;
    const aliases = new Set<number>();
    for (const { order, packet } of life.connection.received) {
      if (packet && mayBreak(packet, life)) yield* judge(life, { order, packet }, aliases);
    }
    yield* judgeSizes(life);
  }
}

/** Whether there is anything to judge about it; most often there is not. */
function mayBreak({ type }: Packet, { connect }: Life): boolean {
  if (type === 'PUBLISH' || type === 'CONNACK' || type === 'AUTH') return true;
  return connect.packet.properties?.requestProblemInformation === 0;
}

function finding(kind: string, id: RequirementId, expected: string, actual: string, at: number): Finding {
  return broken(kind, { rule: { v3: [], v5: [id] }, version: 'v5' }, { expected, actual, at });
}

function* judge(
  { connect }: Life,
  { order, packet }: { order: number; packet: Packet },
  aliases: Set<number>,
): Generator<Finding> {
  const { clientId, properties: given = {} } = connect.packet;
  if (packet.type === 'PUBLISH') yield* judgeAlias(packet, given.topicAliasMaximum ?? 0, aliases, order);
  if (packet.type === 'CONNACK' && packet.code === 0)
    yield* judgeConnack(packet.properties ?? {}, clientId, given, order);
  if (packet.type === 'AUTH' && given.authenticationMethod === undefined) {
    yield finding('AUTH without a method', 'v5/4.12.0-6', 'no AUTH unless CONNECT names a method', 'AUTH', order);
  }
  if (given.requestProblemInformation !== 0 || /^(PUBLISH|CONNACK|DISCONNECT)$/.test(packet.type)) return;
  const { reasonString, userProperties } = ('properties' in packet && packet.properties) || {};
  if (reasonString === undefined && userProperties === undefined) return;
  const expected = 'no Reason String and no User Property, as Request Problem Information is 0';
  yield finding('problem information in spite of 0', 'v5/3.1.2-29', expected, `one of them in ${packet.type}`, order);
}

/** Section 3.3.2.3.4: what an alias stands for was said on this connection. */
function* judgeAlias(packet: Publish, most: number, aliases: Set<number>, order: number): Generator<Finding> {
  const alias = packet.properties?.topicAlias;
  if (alias === undefined) return;
  if (alias > most) {
    const id = most === 0 ? 'v5/3.1.2-27' : 'v5/3.1.2-26';
    yield finding('Topic Alias above the maximum', id, `Topic Alias up to ${most}`, `Topic Alias ${alias}`, order);
  } else if (packet.topic === '' && !aliases.has(alias)) {
    const expected = 'a Topic Alias that was given a topic on this connection';
    yield finding('unknown Topic Alias', 'v5/3.3.2-7', expected, `Topic Alias ${alias} without a topic`, order);
  }
  aliases.add(alias);
}

function* judgeConnack(told: Properties, clientId: string, given: Properties, order: number): Generator<Finding> {
  const { responseInformation, authenticationMethod, assignedClientIdentifier } = told;
  if (responseInformation !== undefined && given.requestResponseInformation !== 1) {
    yield finding(
      'Response Information unasked',
      'v5/3.1.2-28',
      'no Response Information',
      'Response Information',
      order,
    );
  }
  if (authenticationMethod !== given.authenticationMethod) {
    const id = given.authenticationMethod === undefined ? 'v5/4.12.0-6' : 'v5/4.12.0-5';
    const expected = `Authentication Method ${given.authenticationMethod ?? 'left out'} in CONNACK`;
    yield finding('Authentication Method of CONNACK', id, expected, `${authenticationMethod ?? 'none'}`, order);
  }
  if ((clientId === '') === (assignedClientIdentifier !== undefined)) return;
  const id = clientId === '' ? 'v5/3.2.2-16' : 'v5/3.2.2.3.7~assigned-client-identifier';
  const expected = 'an Assigned Client Identifier exactly if the client has none';
  yield finding('Assigned Client Identifier', id, expected, assignedClientIdentifier ?? 'none', order);
}

const leastConnackBytes = 5;

function* judgeSizes({ connect, connection }: Life): Generator<Finding> {
  const most = connect.packet.properties?.maximumPacketSize;
  // Nothing at all could be answered: a CONNACK has five bytes.
  if (most === undefined || most < leastConnackBytes) return;
  const large = connection.received.find(({ bytes }) => bytes.length > most);
  if (!large) return;
  const expected = `no packet of more than ${most} bytes, as Maximum Packet Size says`;
  yield finding(
    'packet too large',
    'v5/3.1.2-24',
    expected,
    `${large.bytes.length} bytes of ${large.packet?.type}`,
    large.order,
  );
}
