/** The regression corpus: scripts that every run plays first, before it makes its own. */

import { edges } from './regression/edges.ts';
import { edges5 } from './regression/edges5.ts';
import { exchanges } from './regression/exchanges.ts';
import { known } from './regression/known.ts';
import type { Seed } from './regression/seed.ts';
import { stalls } from './regression/stalls.ts';
import { timed } from './regression/timed.ts';

export type { Seed } from './regression/seed.ts';

/** Public bugs first. */
export const regression: readonly Seed[] = [...known, ...edges, ...edges5, ...exchanges, ...stalls, ...timed];
