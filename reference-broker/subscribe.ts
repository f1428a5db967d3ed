/** SUBSCRIBE and UNSUBSCRIBE (sections 3.8 to 3.11). */

import type { RequirementId, Version } from '../harness/spec/index.ts';
import { Malformed } from '../harness/wire/malformed.ts';
import type { Subscribe, Subscription, Unsubscribe } from '../harness/wire/packet.ts';
import { checkFilter } from '../harness/wire/topic.ts';
import type { ClientConnection } from './connection.ts';
import { deliver } from './deliver.ts';
import { lowerQoS, type Message } from './message.ts';
import type { Obeys } from './obeys.ts';
import { reasonCodes } from './reasons.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import { isShared, withoutShare } from './shared.ts';
import type { Granted, Recipient } from './subscriptions.ts';
import { servesWildcards } from './terms.ts';
import { asGiven, FilterTree, hasWildcard } from './topics.ts';

/** The one failure code of 3.1.1. */
const failure = 0x80;

/**
 * Section 3.8.4: like that many SUBSCRIBEs with one filter each, answered by one SUBACK. Throws `Malformed` for a
 * misplaced wildcard, and in 5.0 for what the server has announced not to serve.
 */
export function receiveSubscribe(connection: ClientConnection, session: Session, packet: Subscribe): void {
  const { server, dialect } = connection;
  const { version, obeys, output } = dialect;
  const filters = obeys('v3/3.8.4-4#every-filter', 'v5/3.8.4-5#every-filter')
    ? packet.filters
    : packet.filters.slice(0, 1);
  refuseInvalid(server, filters, version, obeys);
  if (version === 'v5') checkAnnounced(connection, packet);
  const codes: number[] = [];
  const retained: [Message, Recipient][] = [];
  const inUse = isInUse(server, session, packet.packetId);
  for (const subscription of filters) {
    const filter = asGiven(subscription.filter, obeys);
    const due = retainedFor(server, session, { ...subscription, filter });
    const granted = inUse
      ? reasonCodes.packetIdentifierInUse
      : grant(connection, session, filter, subscription, packet);
    codes.push(typeof granted === 'number' ? granted : granted.qos);
    if (typeof granted === 'number') continue;
    for (const message of due) retained.push([message, { ...granted, session }]);
  }
  const acknowledge = () => {
    if (!obeys('v3/3.8.4-1', 'v5/3.8.4-1')) return;
    const isOne = obeys('v3/3.8.4-4#one-suback', 'v5/3.8.4-5#one-suback');
    for (const answer of isOne ? [codes] : codes.map((code) => [code])) {
      connection.send(output.suback(packet.packetId, answer));
    }
  };
  const isLast = retained.length > 0 && server.choices.retainedBeforeSuback;
  if (!isLast) acknowledge();
  // Messages sent because of a new subscription have RETAIN 1.
  const flag = obeys('v3/3.3.1-8', 'v5/3.3.1.3~retain-flag-on-subscribe');
  for (const [message, recipient] of retained) deliver(server, recipient, message, flag);
  if (isLast) acknowledge();
}

function refuseInvalid({ choices }: Server, filters: readonly Subscription[], version: Version, obeys: Obeys): void {
  for (const { filter } of filters) {
    const broken = checkFilter(filter, version);
    const invalid = reasonCodes.topicFilterInvalid;
    if (broken && choices.invalidFilter === 'close' && obeys(...broken))
      throw new Malformed(broken, 'a misplaced wildcard', 'filters', 0, invalid);
  }
}

/** A client of 5.0 does not ask for what CONNACK has ruled out, nor for No Local where messages are shared. */
function checkAnnounced(connection: ClientConnection, { filters, properties }: Subscribe): void {
  for (const { filter, noLocal } of filters) {
    if (noLocal && isShared(filter)) {
      const reason = 'No Local with a Shared Subscription';
      throw new Malformed(['v5/3.8.3-4'], reason, 'filters.0.options', 0, reasonCodes.protocolError);
    }
    const [code, rule] = unavailable(connection, filter, properties?.subscriptionIdentifiers) ?? [];
    if (rule && connection.server.choices.unavailable === 'DISCONNECT')
      throw new Malformed([rule], 'what CONNACK has ruled out', 'filters', 0, code);
  }
}

/** What CONNACK has ruled out, of what a filter asks for (sections 3.2.2.3.11 to 3.2.2.3.13). */
function unavailable(
  { server }: ClientConnection,
  filter: string,
  identifiers: readonly number[] | undefined,
): readonly [code: number, rule: RequirementId] | undefined {
  const { limits } = server;
  if (isShared(filter) && !limits.sharedSubscriptionAvailable) {
    return [reasonCodes.sharedSubscriptionsNotSupported, 'v5/3.2.2.3.13~shared-unavailable'];
  }
  if (hasWildcard(filter) && !servesWildcards(server)) {
    return [reasonCodes.wildcardSubscriptionsNotSupported, 'v5/3.2.2.3.11~wildcard-unavailable'];
  }
  if (identifiers && !limits.subscriptionIdentifierAvailable) {
    return [reasonCodes.subscriptionIdentifiersNotSupported, 'v5/3.2.2.3.12~subscription-identifier-unavailable'];
  }
  return undefined;
}

/** Whether the identifier is that of a QoS 2 message which is not complete, and that matters to the server. */
function isInUse({ choices }: Server, { version, unreleased }: Session, packetId: number): boolean {
  return version === 'v5' && unreleased.has(packetId) && choices.identifierInUse === '0x91';
}

/** The retained messages that a subscription brings, an identical one again (section 3.8.4) unless 5.0 says otherwise (3.3.1.3). */
function retainedFor(server: Server, session: Session, subscription: Subscription): readonly Message[] {
  const { retained, clock, limits } = server;
  const { version, obeys } = session;
  const { filter, retainHandling = 0 } = subscription;
  if (!obeys('v3/3.3.1-6#sent', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message#sent')) return [];
  const exists = session.filters.has(filter);
  if (exists && !obeys('v3/3.8.4-3#retained', 'v5/3.8.4-4#retained')) return [];
  if (session.filters.size > 0 && !exists && !obeys('v3/3.8.4~new-filter-gets-retained')) return [];
  if (version === 'v5') {
    if (retainHandling === 1 && exists === obeys('v5/3.3.1-10')) return [];
    if (retainHandling === 2 && obeys('v5/3.3.1-11')) return [];
    if (!limits.retainAvailable && obeys('v5/3.2.2.3.5~retain-unavailable#none')) return [];
    if (isShared(filter))
      return obeys('v5/4.8.2~shared-no-retained') ? [] : retained.matching(withoutShare(filter), clock.now());
  }
  return retained.matching(filter, clock.now());
}

/** Makes a subscription and returns what it grants, or the code that refuses it. */
function grant(
  connection: ClientConnection,
  session: Session,
  filter: string,
  { qos: requested, noLocal, retainAsPublished }: Subscription,
  { properties }: Subscribe,
): Granted | number {
  const { server, dialect } = connection;
  const { version, obeys } = dialect;
  const { choices, clock, limits } = server;
  const broken = checkFilter(filter, version);
  if (broken && obeys(...broken, 'v5/3.8.4~refused-filter'))
    return version === 'v3' ? failure : reasonCodes.topicFilterInvalid;
  if (server.denied?.forbidsFilter(filter)) {
    if (version === 'v3') return failure;
    if (obeys('v5/3.9.3~suback-reason-codes')) return reasonCodes.notAuthorized;
  }
  const identifiers = properties?.subscriptionIdentifiers;
  const wildcards = hasWildcard(filter);
  if (version === 'v3') {
    if (wildcards && (choices.wildcards === 'refuse' || !obeys('v3/3.8.3~wildcards-supported'))) return failure;
  } else {
    const [code, rule] = unavailable(connection, filter, identifiers) ?? [];
    if (code !== undefined && rule && obeys(rule)) return code;
  }
  const greatest = version === 'v5' ? lowerQoS(choices.grantedQoS, limits.maximumQoS) : choices.grantedQoS;
  if (requested > greatest && !obeys('v5/3.2.2-10')) return reasonCodes.qosNotSupported;
  const qos = obeys('v3/3.8.4~lower-qos-granted') ? lowerQoS(requested, greatest) : 2;
  const granted: Granted = {
    qos: obeys('v3/3.8.4-5#granted', 'v5/3.8.4-7') ? qos : 0,
    noLocal: (noLocal ?? false) && obeys('v5/3.8.3-3'),
    retainAsPublished: retainAsPublished ?? false,
    identifiers,
  };
  const subscribe = () => server.subscriptions.set(session, filter, granted);
  // A subscription that takes the place of another one leaves no gap.
  if (session.filters.has(filter) && !obeys('v3/3.8.4-3#flow', 'v5/3.8.4-4#flow')) {
    server.subscriptions.delete(session, filter);
    clock.after(10, subscribe);
  } else if (!wildcards || obeys('v3/3.8.3-2')) subscribe(); // What is granted has to work, wildcards included.
  if (!obeys('v3/4.1.0-2', 'v5/4.1.0-1')) clock.after(1_000, () => server.subscriptions.delete(session, filter));
  return { ...granted, qos };
}

/** Section 3.10.4: ends the subscriptions with exactly these filters; answered even if there are none. */
export function receiveUnsubscribe(connection: ClientConnection, session: Session, packet: Unsubscribe): void {
  const { server, dialect } = connection;
  const { obeys, output } = dialect;
  const all = obeys('v3/3.10.4-6#every-filter', 'v5/3.10.4-6#every-filter');
  const filters = all ? packet.filters : packet.filters.slice(0, 1);
  const inUse = isInUse(server, session, packet.packetId);
  const codes = filters.map((given) => {
    if (inUse) return reasonCodes.packetIdentifierInUse;
    return end(server, session, asGiven(given, obeys)) ? reasonCodes.success : reasonCodes.noSubscriptionExisted;
  });
  // What is on its way is completed although its subscription is gone.
  if (!obeys('v3/3.10.4-3', 'v5/3.10.4-3')) session.inFlight.clear();
  const ended = codes.includes(reasonCodes.success);
  if (!obeys('v3/3.10.4-4#answered', 'v5/3.10.4-4')) return;
  if (!ended && !obeys('v3/3.10.4-5', 'v5/3.10.4-5#none-ended')) return;
  const answers = obeys('v3/3.10.4-6#one-unsuback', 'v5/3.10.4-6#one-unsuback') ? [codes] : codes.map((code) => [code]);
  for (const answer of answers) connection.send(output.unsuback(packet.packetId, answer));
}

/** Ends the subscription with exactly this filter; false if there is none. */
function end({ subscriptions }: Server, session: Session, filter: string): boolean {
  const { obeys } = session;
  const existed = session.filters.has(filter);
  for (const same of identical(session, filter)) {
    if (!obeys('v3/3.10.4-1#ended', 'v3/3.10.4-2', 'v5/3.10.4-1#ended', 'v5/3.10.4-2')) continue;
    const kept = session.filters.get(same);
    subscriptions.delete(session, same);
    // The Subscription Identifier goes with the subscription.
    if (kept && !obeys('v5/3.8.4~subscription-identifier-state#removed')) subscriptions.set(session, same, kept);
  }
  return existed;
}

/** Filters are compared character by character. */
function identical(session: Session, filter: string): readonly string[] {
  const { obeys } = session;
  if (obeys('v3/3.10.4-1#identical', 'v5/3.10.4-1#identical')) return [filter];
  return [...session.filters.keys()].filter((other) => {
    const tree = new FilterTree<true>(obeys);
    tree.set(withoutShare(other), session, true);
    return tree.matches(withoutShare(filter)).length > 0;
  });
}
