/** Reason Codes that a packet may not carry, made from the table of Reason Codes. */

import type { Strength } from '../../../spec/index.ts';
import type { Side } from '../../properties.ts';
import { type ReasonPlace, reasonOf, reasonRules, reasons } from '../../reasons.ts';
import { article, bent, type Factory, type Row } from '../row.ts';

/** No packet's codes: next to known ones, and the last of all. */
const unknown = [0x03, 0x0f, 0x12, 0x1a, 0x7f, 0xa3, 0xff];

const known = [...new Set(reasons.map(({ code }) => code))];

/** A row for each code that is unknown, belongs to other packets, or belongs to the other side. */
export function reasonRows(
  place: ReasonPlace,
  packet: Factory,
  part: string,
  from: Side,
  strength: Strength = 'MUST',
): Row[] {
  return [...unknown, ...known].flatMap((code) => {
    const reason = reasonOf(place, code);
    const id = `${place.toLowerCase()}-code-${code.toString(16).padStart(2, '0')}`;
    const title = `${article(place)} with the Reason Code ${code.toString(16).padStart(2, '0').toUpperCase()}`;
    const breaks = [reasonRules[place]];
    if (!reason) return [bent(id, title, packet, { [part]: [code] }, { at: part, breaks, strength })];
    if (!reason.from || reason.from === from) return [];
    const whose = `${title}, which only a ${reason.from} may send`;
    return [bent(`${id}-from-${from}`, whose, packet, { [part]: [code] }, { at: undefined, breaks, strength })];
  });
}
