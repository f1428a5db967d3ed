/** What may explain a delivery: a message and a subscription, and whether it is handed on as it comes or from what was retained. */

import type { Delivery } from '../model/delivery.ts';
import { never } from '../model/life.ts';
import { matches } from '../model/matching.ts';
import type { Publication } from '../model/publication.ts';
import { mayCover, type Subscription } from '../model/subscription.ts';
import type { Model, Told } from '../model.ts';
import { beginOfWill } from './wills.ts';

export interface Explanation {
  readonly publication: Publication;
  readonly subscription: Subscription;
  /** The subscription may have been there when the message came. */
  readonly live: boolean;
  /** The message may have been the retained one when the subscription was made. */
  readonly retained: boolean;
}

/** All that may explain a delivery. */
export function explanationsOf(model: Model, session: Told, delivery: Delivery): readonly Explanation[] {
  const found: Explanation[] = [];
  for (const publication of model.byContent.get(delivery.content) ?? []) {
    if (publication.order > delivery.order) continue;
    for (const subscription of session.subscriptions) {
      if (subscription.sentAt > delivery.order || subscription.isRefused) continue;
      if (!matches(subscription.filter, delivery.topic)) continue;
      const live = mayBeLive(model, publication, subscription, delivery.order);
      const retained = mayBeRetained(model, publication, subscription);
      if (live || retained) found.push({ publication, subscription, live, retained });
    }
  }
  return found;
}

/** Whether a message may have come while a subscription was there. */
export function mayBeLive(model: Model, publication: Publication, subscription: Subscription, until: number): boolean {
  if (subscription.requested.noLocal && isOwn(publication, subscription)) return false;
  const from = publication.isWill ? beginOfWill(model, publication.life) : publication.order;
  if (from > until) return false;
  // What another member of the group did not take may be passed on at any time.
  if (subscription.isShared) return true;
  if (subscription.sentAt > publication.takenAt) return false;
  return mayCover(subscription, publication.topic, from, until);
}

/** Whether the publisher is the subscriber: of the same Client Identifier (v5/3.8.3-3). */
function isOwn({ life }: Publication, { session }: Subscription): boolean {
  return session.lives.includes(life);
}

/** Whether a message may have been retained when a subscription was made. */
export function mayBeRetained(model: Model, publication: Publication, subscription: Subscription): boolean {
  const { isShared, requested, grantedAt, sentAt } = subscription;
  if (!publication.retain || publication.isEmpty || isShared || requested.retainHandling === 2) return false;
  if (publication.isWill && beginOfWill(model, publication.life) === never) return false;
  // The SUBSCRIBE was done with before the message was sent.
  if (grantedAt < publication.order) return false;
  return !model.publications.some((other) => other.takenAt < sentAt && replaces(other, publication));
}

/** Whether a message is sure to have taken the place of another one as the retained message of its topic. */
export function replaces(later: Publication, earlier: Publication): boolean {
  if (!later.retain || later.isWill || later.isOptional || later.topic !== earlier.topic || later === earlier)
    return false;
  return isAfter(later, earlier);
}

/** Whether a broker is sure to have taken one message after the other. */
export function isAfter(later: Publication, earlier: Publication): boolean {
  // A Will is published when nobody knows.
  if (earlier.isWill || later.isWill) return false;
  if (later.order > earlier.takenAt) return true;
  if (later.life !== earlier.life || later.index < earlier.index) return false;
  if (earlier.qos < 2) return true;
  // Handed on at its PUBREL, a QoS 2 message comes behind what was published before that.
  const laterAt = later.qos === 2 ? later.releasedAt : later.order;
  return earlier.releasedAt < laterAt && earlier.releasedAt !== never;
}
