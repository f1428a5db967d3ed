/** SUBSCRIBE and UNSUBSCRIBE (sections 3.8 to 3.11). */

import { Malformed } from '../harness/wire/malformed.ts';
import type { QoS, Subscribe, Subscription, Unsubscribe } from '../harness/wire/packet.ts';
import { checkFilter } from '../harness/wire/topic.ts';
import type { ClientConnection } from './connection.ts';
import { deliver } from './deliver.ts';
import { lowerQoS, type Message } from './message.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import { asGiven, FilterTree, hasWildcard } from './topics.ts';

const failure = 0x80;

/** Section 3.8.4: like that many SUBSCRIBEs with one filter each, answered by one SUBACK. Throws `Malformed` for a misplaced wildcard. */
export function receiveSubscribe(connection: ClientConnection, session: Session, packet: Subscribe): void {
  const { server } = connection;
  const { obeys, output } = server;
  const filters = obeys('v3/3.8.4-4#every-filter') ? packet.filters : packet.filters.slice(0, 1);
  if (server.choices.invalidFilter === 'close') refuseInvalid(server, filters);
  const codes: number[] = [];
  const retained: [Message, QoS][] = [];
  for (const subscription of filters) {
    const filter = asGiven(subscription.filter, obeys);
    const due = retainedFor(server, session, filter);
    const granted = grant(server, session, { ...subscription, filter });
    codes.push(granted ?? failure);
    if (granted !== undefined) for (const message of due) retained.push([message, granted]);
  }
  const acknowledge = () => {
    if (!obeys('v3/3.8.4-1')) return;
    if (obeys('v3/3.8.4-4#one-suback')) connection.send(output.suback(packet.packetId, codes));
    else for (const code of codes) connection.send(output.suback(packet.packetId, [code]));
  };
  if (!server.choices.retainedBeforeSuback) acknowledge();
  // Messages sent because of a new subscription have RETAIN 1.
  for (const [message, granted] of retained) deliver(server, session, message, granted, obeys('v3/3.3.1-8'));
  if (server.choices.retainedBeforeSuback) acknowledge();
}

function refuseInvalid({ obeys }: Server, filters: readonly Subscription[]): void {
  for (const { filter } of filters) {
    const broken = checkFilter(filter);
    if (broken && obeys(...broken)) throw new Malformed(broken, 'a misplaced wildcard', 'filters', 0);
  }
}

/** The retained messages that a subscription brings, an identical one again (section 3.8.4). */
function retainedFor({ obeys, retained }: Server, session: Session, filter: string): readonly Message[] {
  if (!obeys('v3/3.3.1-6#sent')) return [];
  if (session.filters.has(filter) && !obeys('v3/3.8.4-3#retained')) return [];
  if (session.filters.size > 0 && !session.filters.has(filter) && !obeys('v3/3.8.4~new-filter-gets-retained'))
    return [];
  return retained.matching(filter);
}

/** Makes a subscription and returns the QoS granted, or `undefined` if it is refused. */
function grant(server: Server, session: Session, { filter, qos: requested }: Subscription): QoS | undefined {
  const { obeys, choices, clock } = server;
  const broken = checkFilter(filter);
  if (broken && obeys(...broken)) return undefined;
  const wildcards = hasWildcard(filter);
  if (wildcards && (choices.wildcards === 'refuse' || !obeys('v3/3.8.3~wildcards-supported'))) return undefined;
  const qos = obeys('v3/3.8.4~lower-qos-granted') ? lowerQoS(requested, choices.grantedQoS) : 2;
  const subscribe = () => server.subscriptions.set(session, filter, obeys('v3/3.8.4-5#granted') ? qos : 0);
  // A subscription that takes the place of another one leaves no gap.
  if (session.filters.has(filter) && !obeys('v3/3.8.4-3#flow')) {
    server.subscriptions.delete(session, filter);
    clock.after(10, subscribe);
  } else if (!wildcards || obeys('v3/3.8.3-2')) subscribe(); // What is granted has to work, wildcards included.
  if (!obeys('v3/4.1.0-2')) clock.after(1_000, () => server.subscriptions.delete(session, filter));
  return qos;
}

/** Section 3.10.4: ends the subscriptions with exactly these filters; answered even if there are none. */
export function receiveUnsubscribe(connection: ClientConnection, session: Session, packet: Unsubscribe): void {
  const { server } = connection;
  const { obeys, output } = server;
  const filters = obeys('v3/3.10.4-6#every-filter') ? packet.filters : packet.filters.slice(0, 1);
  let ended = 0;
  for (const given of filters) {
    const filter = asGiven(given, obeys);
    if (session.filters.has(filter)) ended++;
    for (const same of identical(server, session, filter)) {
      if (obeys('v3/3.10.4-1#ended', 'v3/3.10.4-2')) server.subscriptions.delete(session, same);
    }
  }
  // What is on its way is completed although its subscription is gone.
  if (!obeys('v3/3.10.4-3')) session.inFlight.clear();
  if (!obeys('v3/3.10.4-4#answered') || (ended === 0 && !obeys('v3/3.10.4-5'))) return;
  const answers = obeys('v3/3.10.4-6#one-unsuback') ? 1 : filters.length;
  for (let answer = 0; answer < answers; answer++) connection.send(output.acknowledgement('UNSUBACK', packet.packetId));
}

/** Filters are compared character by character. */
function identical({ obeys }: Server, session: Session, filter: string): readonly string[] {
  if (obeys('v3/3.10.4-1#identical')) return [filter];
  return [...session.filters.keys()].filter((other) => {
    const tree = new FilterTree<true>(obeys);
    tree.set(other, session, true);
    return tree.matches(filter).length > 0;
  });
}
