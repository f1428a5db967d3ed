/** The subscriptions of a session: from when to when each may be there, and from when to when it is sure to be (sections 3.8 to 3.11). */

import type { QoS, Subscription as Requested } from '../../harness/wire/packet.ts';
import { firstAnswer } from './answers.ts';
import { never } from './life.ts';
import { matches, unshared } from './matching.ts';
import type { Session } from './session.ts';

export interface Subscription {
  readonly session: Session;
  readonly requested: Requested;
  /** The filter without what makes it shared. */
  readonly filter: string;
  readonly isShared: boolean;
  readonly identifier: number | undefined;
  /** It may be there from when the SUBSCRIBE was sent, and is sure to be from when SUBACK came. */
  readonly sentAt: number;
  readonly grantedAt: number;
  /** Undefined until SUBACK says it. */
  readonly granted: QoS | undefined;
  readonly isRefused: boolean;
  /** It is sure to be there until another SUBSCRIBE or an UNSUBSCRIBE with the filter was sent, and may be until that was answered. */
  readonly sureUntil: number;
  readonly maybeUntil: number;
}

type Growing = { -readonly [K in keyof Subscription]: Subscription[K] };

/** All subscriptions that a session may ever have had. */
export function subscriptionsOf(session: Session): readonly Subscription[] {
  const found: Growing[] = [];
  for (const life of session.lives) {
    for (const { order, packet } of life.sent) {
      if (packet.type !== 'SUBSCRIBE' && packet.type !== 'UNSUBSCRIBE') continue;
      const answer = firstAnswer(life, order, packet);
      if (packet.type === 'UNSUBSCRIBE') {
        for (const [index, filter] of packet.filters.entries()) {
          const failed = answer?.packet.type === 'UNSUBACK' && (answer.packet.codes?.[index] ?? 0) >= 0x80;
          end(found, filter, order, answer && !failed ? answer.order : never);
        }
        continue;
      }
      const codes = answer?.packet.type === 'SUBACK' ? answer.packet.codes : [];
      for (const [index, requested] of packet.filters.entries()) {
        const code = codes.length === packet.filters.length ? codes[index] : undefined;
        const isRefused = (code ?? 0) >= 0x80;
        end(found, requested.filter, order, code !== undefined && !isRefused ? (answer?.order ?? never) : never);
        const { group, filter } = unshared(requested.filter);
        found.push({
          session,
          requested,
          // 3.1.1 leaves filters that begin with `$` to the server: many share subscriptions of its clients in the same way.
          filter,
          isShared: group !== undefined,
          identifier: packet.properties?.subscriptionIdentifiers?.[0],
          sentAt: order,
          grantedAt: code === undefined || isRefused ? never : (answer?.order ?? never),
          granted: code === undefined || isRefused ? undefined : (code as QoS),
          isRefused,
          sureUntil: never,
          maybeUntil: never,
        });
      }
    }
  }
  return found;
}

function end(found: readonly Growing[], filter: string, sentAt: number, answeredAt: number): void {
  for (const earlier of found) {
    if (earlier.requested.filter !== filter) continue;
    earlier.sureUntil = Math.min(earlier.sureUntil, sentAt);
    earlier.maybeUntil = Math.min(earlier.maybeUntil, answeredAt);
  }
}

/** Whether a subscription is for this topic and may have been there at some time between two orders. */
export function mayCover(subscription: Subscription, topic: string, from: number, until: number): boolean {
  if (subscription.isRefused || !matches(subscription.filter, topic)) return false;
  return subscription.sentAt < until && subscription.maybeUntil > from;
}

/** Whether a subscription is for this topic and was there all the time between two orders, beyond doubt. */
export function surelyCovers(subscription: Subscription, topic: string, from: number, until: number): boolean {
  if (subscription.granted === undefined || !matches(subscription.filter, topic)) return false;
  return subscription.grantedAt < from && subscription.sureUntil > until;
}
