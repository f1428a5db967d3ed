/** The requirements that no gate of the broker stands for although they show and are no mere permissions, each with the reason. */

import type { RequirementId } from '../harness/spec/index.ts';

const webSocket = 'The broker has no WebSocket listener.';

/** This list may only shrink. */
export const ungated: Readonly<Partial<Record<RequirementId, string>>> = {
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
