/** Why a requirement has no case: no client can observe it, or something that it takes does not exist yet. */

import { type RequirementId, requirement } from './index.ts';

const webSocket = 'the cases speak TCP; a WebSocket transport is missing';

/** What a client could observe, if something existed that does not yet. This list may only shrink. */
export const unexercised: Readonly<Partial<Record<RequirementId, string>>> = {
  'v3/6.0.0-1': webSocket,
  'v3/6.0.0-2': webSocket,
  'v3/6.0.0-4': webSocket,
  'v3/6~websocket-uri': webSocket,
  'v3/6~websocket-protocol': webSocket,
  'v5/6.0.0-1': webSocket,
  'v5/6.0.0-2': webSocket,
  'v5/6.0.0-3': webSocket,
  'v5/6.0.0-4': webSocket,
};

/** Why nothing judges a requirement. */
export interface Excuse {
  readonly kind: 'not observable' | 'not exercised';
  readonly reason: string;
}

/** The excuse for a requirement without a case; undefined if it has to have one. */
export function excuseOf(id: RequirementId): Excuse | undefined {
  const { observable, why } = requirement(id);
  if (observable === 'no') return { kind: 'not observable', reason: why ?? 'no client can observe it' };
  const reason = unexercised[id];
  return reason === undefined ? undefined : { kind: 'not exercised', reason };
}
