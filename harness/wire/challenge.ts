/**
 * A method of enhanced authentication (MQTT 5.0, section 4.12): the server sends a challenge, and the client answers with its
 * HMAC-SHA-256, keyed with a secret that both know.
 */

import { createHmac } from 'node:crypto';

/** The name of the method. */
export const challengeMethod = 'HMAC-SHA-256';

/** What proves that one knows the secret. */
export function proofOf(challenge: Uint8Array, secret: string): Uint8Array {
  return createHmac('sha256', secret).update(challenge).digest();
}
