/** What client and server tell each other about themselves when they connect (MQTT 5.0, sections 3.1.2.11 and 3.2.2.3). */

import type { Connect, Properties } from '../harness/wire/packet.ts';
import type { Obeys } from './obeys.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';

/** What the client takes. */
export interface Terms {
  /** QoS 1 and 2 messages at a time. */
  readonly receiveMaximum: number;
  /** Bytes of a whole packet. */
  readonly maximumPacketSize: number;
  readonly topicAliasMaximum: number;
  /** Whether it wants Reason Strings and User Properties in every packet. */
  readonly problemInformation: boolean;
}

/** A client of MQTT 3.1.1 has no way to limit what it gets. */
export const unlimited: Terms = {
  receiveMaximum: 0xffff,
  maximumPacketSize: Number.POSITIVE_INFINITY,
  topicAliasMaximum: 0,
  problemInformation: false,
};

/** Section 3.1.2.11. */
export function termsOf({ properties = {} }: Connect): Terms {
  return {
    receiveMaximum: properties.receiveMaximum ?? unlimited.receiveMaximum,
    maximumPacketSize: properties.maximumPacketSize ?? unlimited.maximumPacketSize,
    topicAliasMaximum: properties.topicAliasMaximum ?? 0,
    problemInformation: properties.requestProblemInformation !== 0,
  };
}

/** Whether the server serves a wildcard in a Topic Filter: a choice in 3.1.1, and one to announce in 5.0. */
export function servesWildcards({ limits, choices }: Server): boolean {
  return limits.wildcardSubscriptionAvailable && choices.wildcards === 'grant';
}

/** Section 3.2.2.3: what the server tells a client that it lets in. Absent is what the standard assumes. */
export function announcement(server: Server, packet: Connect, session: Session, obeys: Obeys): Properties {
  const { limits, choices } = server;
  const { properties = {} } = packet;
  const asked = properties.requestResponseInformation === 1;
  const responds = (asked || !obeys('v5/3.1.2-28')) && choices.responseInformation === 'send';
  const announces = obeys('v5/3.2.2.3~announced-abilities');
  return {
    ...expiryAnnounced(properties.sessionExpiryInterval ?? 0, server, obeys),
    ...(packet.clientId === '' &&
      obeys('v5/3.2.2-16#announced', 'v5/3.1.3-7#announced') && { assignedClientIdentifier: session.clientId }),
    ...(packet.clientId !== '' &&
      !obeys('v5/3.2.2.3.7~assigned-client-identifier') && { assignedClientIdentifier: session.clientId }),
    ...(limits.serverKeepAlive !== undefined && { serverKeepAlive: limits.serverKeepAlive }),
    ...methodAnnounced(properties.authenticationMethod, obeys),
    ...(responds && { responseInformation: responseInformation(session, obeys) }),
    ...(limits.receiveMaximum < 0xffff && announces && { receiveMaximum: limits.receiveMaximum }),
    ...(limits.topicAliasMaximum > 0 && announces && { topicAliasMaximum: limits.topicAliasMaximum }),
    ...(limits.maximumQoS < 2 && obeys('v5/3.2.2-9') && announces && { maximumQoS: limits.maximumQoS }),
    ...(!limits.retainAvailable && announces && { retainAvailable: 0 }),
    ...(announces && { maximumPacketSize: limits.maximumPacketSize }),
    ...(!servesWildcards(server) && announces && { wildcardSubscriptionAvailable: 0 }),
    ...(!limits.subscriptionIdentifierAvailable && announces && { subscriptionIdentifierAvailable: 0 }),
    ...(!limits.sharedSubscriptionAvailable && announces && { sharedSubscriptionAvailable: 0 }),
    ...(!obeys('v5/3.2.2.3~connack-properties') && { receiveMaximum: 0 }),
  };
}

/** A server that keeps the session for another time than asked for says so (section 3.2.2.3.2). */
function expiryAnnounced(asked: number, { limits }: Server, obeys: Obeys): Properties {
  const most = limits.maximumSessionExpirySeconds;
  return asked > most && obeys('v5/3.2.2.3.2~session-expiry-announced') ? { sessionExpiryInterval: most } : {};
}

/** Something to begin Response Topics with, hence without wildcards (section 3.2.2.3.15). */
function responseInformation({ clientId }: Session, obeys: Obeys): string {
  const base = `response/${clientId}`;
  return obeys('v5/3.2.2.3.15~response-information') ? base.replace(/[+#]/g, '-') : `${base}/#`;
}

/** A successful CONNACK repeats the method of the CONNECT (section 4.12). */
function methodAnnounced(method: string | undefined, obeys: Obeys): Properties {
  if (method === undefined) return obeys('v5/4.12.0-6') ? {} : { authenticationMethod: 'none' };
  return obeys('v5/4.12.0-5#CONNACK') ? { authenticationMethod: method } : {};
}

/** The Session Expiry Interval of a session that does not expire. */
const neverExpires = 0xffff_ffff;

/** A Session Expiry Interval as the server applies it, in seconds, infinite for one that never ends (section 3.1.2.11.2). */
export function expiryApplied(asked: number | undefined, { limits }: Server, obeys: Obeys): number {
  if (asked === undefined) return obeys('v5/3.1.2.11.2~session-expiry#absent') ? 0 : Number.POSITIVE_INFINITY;
  if (asked === neverExpires && !obeys('v5/3.1.2.11.2~session-expiry#never')) return 0;
  const seconds = asked === neverExpires ? Number.POSITIVE_INFINITY : asked;
  return Math.min(seconds, limits.maximumSessionExpirySeconds);
}
