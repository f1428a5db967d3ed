/**
 * The table of examples: well-formed packets with their bytes, and malformed ones with what they break. It feeds
 * codec, suites and fuzzer.
 */

import { malformedConnects } from './examples/connect.ts';
import { malformedByClient } from './examples/malformed.ts';
import type { MalformedExample } from './examples/row.ts';
import { malformedTexts } from './examples/text.ts';

export type { Credentials, MalformedExample, WellFormed } from './examples/row.ts';
export { malformedByServer } from './examples/server.ts';
export { remainingLengths, wellFormed } from './examples/wellformed.ts';

/**
 * What a client may not send, and to which a server has to close the connection: there is no row here for which 3.1.1
 * leaves a choice.
 * A server closes after a DISCONNECT as well, so for the `disconnect-` rows only the will tells whether it was refused.
 */
export const malformed: readonly MalformedExample[] = [...malformedConnects, ...malformedByClient, ...malformedTexts];
