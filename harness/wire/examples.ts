/**
 * The table of examples: well-formed packets with their bytes, and malformed ones with what they break. It feeds
 * codec, suites and fuzzer.
 */

import type { Version } from '../spec/index.ts';
import { connectRows } from './examples/connect.ts';
import { clientRows } from './examples/malformed.ts';
import { connected, first, type MalformedExample, type WellFormed } from './examples/row.ts';
import { serverRows } from './examples/server.ts';
import { connectTextRows, textRows } from './examples/text.ts';
import { clientRows5, connectRows5 } from './examples/v5/client.ts';
import { serverRows5 } from './examples/v5/server.ts';
import { wellFormed5 } from './examples/v5/wellformed.ts';
import { wellFormed } from './examples/wellformed.ts';

export type { Credentials, MalformedExample, WellFormed } from './examples/row.ts';
export { remainingLengths, wellFormed } from './examples/wellformed.ts';

/**
 * What a client may not send, and to which a server has to close the connection: there is no row here for which 3.1.1
 * leaves a choice.
 * A server closes after a DISCONNECT as well, so for the `disconnect-` rows only the will tells whether it was refused.
 */
export const malformed: readonly MalformedExample[] = [
  ...first([...connectRows, ...connectTextRows]),
  ...connected([...clientRows, ...textRows]),
];

/** Malformed packets that come from a server: the rows that the judge of a server's packets is tested with. */
export const malformedByServer: readonly MalformedExample[] = connected(serverRows);

/** The rows of one version. */
export interface Examples {
  readonly wellFormed: readonly WellFormed[];
  /** What a client may not send; see the `strength` of each row for what happens if a server puts up with it. */
  readonly malformed: readonly MalformedExample[];
  readonly malformedByServer: readonly MalformedExample[];
}

/** The whole table, by version; the rows of 3.1.1 are those above. */
export const examples: Readonly<Record<Version, Examples>> = {
  v3: { wellFormed, malformed, malformedByServer },
  v5: {
    wellFormed: wellFormed5,
    malformed: [...first(connectRows5, 'v5'), ...connected(clientRows5, 'v5')],
    malformedByServer: connected(serverRows5, 'v5'),
  },
};
