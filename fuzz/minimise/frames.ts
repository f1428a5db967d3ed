/** Raw bytes of a script as packets: one step for each, as far as they can be cut and read. */

import type { Version } from '../../harness/spec/index.ts';
import { decode, Malformed } from '../../harness/wire/decode.ts';
import { encode, remainingLength } from '../../harness/wire/encode.ts';
import { Framer } from '../../harness/wire/frame.ts';
import { dataFrom } from '../data.ts';
import type { Script, Step } from '../script.ts';

export type Raw = Extract<Step, { readonly do: 'raw' }>;

/** A script that sends the same bytes: raw ones in a row of one client joined, then cut into packets. */
export function framed(script: Script): Script {
  const steps = joined(script.steps).flatMap((step): Step[] => (step.do === 'raw' ? framesOf(step) : [step]));
  return { ...script, steps };
}

/** A script that sends the same bytes, with a packet in the place of every raw step that is one, well-formed. */
export function readable(script: Script): Script {
  const steps = script.steps.map((step) =>
    step.do === 'raw' ? asPacket(step, script.clients[step.client]?.version ?? 'v3') : step,
  );
  return { ...script, steps };
}

function joined(steps: readonly Step[]): Step[] {
  const made: Step[] = [];
  for (const step of steps) {
    const last = made.at(-1);
    if (step.do === 'raw' && last?.do === 'raw' && last.client === step.client) {
      made[made.length - 1] = { ...last, hex: last.hex + step.hex };
    } else made.push(step);
  }
  return made;
}

/** One step for each whole packet, and one for the rest. */
export function framesOf(step: Raw): Raw[] {
  const bytes = Buffer.from(step.hex, 'hex');
  // How packets are cut is the same in both versions.
  const framer = new Framer('v3', bytes.length);
  const frames: Raw[] = [];
  let at = 0;
  framer.push(bytes);
  try {
    for (let frame = framer.next(); frame; frame = framer.next()) {
      frames.push({ ...step, hex: step.hex.slice(2 * at, 2 * (at + frame.length)) });
      at += frame.length;
    }
  } catch {
    // From here on there are no packets: a length that never ends, or one beyond all that there is.
  }
  return at < bytes.length ? [...frames, { ...step, hex: step.hex.slice(2 * at) }] : frames;
}

function asPacket(step: Raw, version: Version): Step {
  const bytes = Buffer.from(step.hex, 'hex');
  try {
    const packet = decode(bytes, version);
    if (!bytes.equals(encode(packet, version))) return step;
    return { client: step.client, do: 'send', packet: dataFrom(packet) };
  } catch (error) {
    if (error instanceof Malformed || error instanceof RangeError) return step;
    throw error;
  }
}

/** What stands behind the fixed header of a raw step that is one packet with a Remaining Length that fits; undefined for others. */
export function bodyOf(step: Raw): Uint8Array | undefined {
  const bytes = Buffer.from(step.hex, 'hex');
  const start = bytes.findIndex((byte, at) => at > 0 && byte < 0x80) + 1;
  if (start < 2 || start > 5) return undefined;
  const declared = bytes.subarray(1, start).reduce((sum, byte, at) => sum + (byte & 0x7f) * 128 ** at, 0);
  return declared === bytes.length - start ? bytes.subarray(start) : undefined;
}

/** The packet of a raw step with another body, and the Remaining Length that fits. */
export function withBody(step: Raw, body: Uint8Array): Raw {
  const header = Buffer.from(step.hex.slice(0, 2), 'hex');
  return { ...step, hex: Buffer.concat([header, remainingLength(body.length), body]).toString('hex') };
}
