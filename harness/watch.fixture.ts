/** What both versions have in common where the watch is tested: an exchange, and what its last packet breaks. */

import { Violation } from './errors.ts';
import type { RequirementId, Version } from './spec/index.ts';
import { Watch } from './watch.ts';
import * as build from './wire/build.ts';
import { encode } from './wire/encode.ts';
import type { Packet } from './wire/packet.ts';

/** Who sends what. */
export type Step = readonly ['client' | 'server', Packet];

/** The requirements that the first packet breaks that breaks any. */
export function brokenIn(version: Version, steps: readonly Step[]): readonly RequirementId[] {
  const watch = new Watch(version);
  for (const [who, packet] of steps) {
    if (who === 'client') watch.sent(packet);
    else {
      try {
        watch.received(packet, encode(packet, version).length);
      } catch (error) {
        if (error instanceof Violation) return error.requirements;
        throw error;
      }
    }
  }
  return [];
}

/** A PUBLISH to `t` unless told. */
export const publish = (fields: Partial<build.PublishFields>) => build.publish({ topic: 't', ...fields });
