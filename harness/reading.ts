/** One line that a person reads for a packet: `SUBSCRIBE id=1 t/1 QoS 0`. */

import type { Packet, Properties, Subscription } from './wire/packet.ts';
import { properties as propertyTable } from './wire/properties.ts';

const longest = 60;

/** The packet in one line, without control characters, long fields shortened. */
export function reading(packet: Packet): string {
  switch (packet.type) {
    case 'CONNECT':
      return words(
        packet.type,
        `id=${quote(packet.clientId)}`,
        `${packet.protocolLevel === 5 ? 'Clean Start' : 'CleanSession'}${packet.clean ? '' : '=0'}`,
        `Keep Alive ${packet.keepAlive}`,
        packet.will &&
          `will ${quote(packet.will.topic)} QoS ${packet.will.qos}${packet.will.retain ? ' RETAIN' : ''} ${payload(packet.will.payload)}${within(packet.will.properties)}`,
        packet.userName !== undefined && `user name ${quote(packet.userName)}`,
        packet.password && 'password',
        (packet.protocolName !== 'MQTT' || (packet.protocolLevel !== 4 && packet.protocolLevel !== 5)) &&
          `protocol ${quote(packet.protocolName)} level ${packet.protocolLevel}`,
        told(packet.properties),
      );
    case 'CONNACK':
      return words(packet.type, code(packet.code), packet.sessionPresent && 'Session Present', told(packet.properties));
    case 'PUBLISH':
      return words(
        packet.type,
        packet.packetId !== undefined && `id=${packet.packetId}`,
        shorten(packet.topic),
        `QoS ${packet.qos}`,
        packet.dup && 'DUP',
        packet.retain && 'RETAIN',
        payload(packet.payload),
        told(packet.properties),
      );
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
      return words(
        packet.type,
        `id=${packet.packetId}`,
        packet.code !== undefined && code(packet.code),
        told(packet.properties),
      );
    case 'UNSUBACK':
      return words(
        packet.type,
        `id=${packet.packetId}`,
        packet.codes && list(packet.codes.map(code)),
        told(packet.properties),
      );
    case 'SUBSCRIBE':
      return words(
        packet.type,
        `id=${packet.packetId}`,
        list(packet.filters.map(subscription)),
        told(packet.properties),
      );
    case 'SUBACK':
      return words(packet.type, `id=${packet.packetId}`, list(packet.codes.map(code)), told(packet.properties));
    case 'UNSUBSCRIBE':
      return words(packet.type, `id=${packet.packetId}`, list(packet.filters.map(shorten)), told(packet.properties));
    case 'PINGREQ':
    case 'PINGRESP':
      return packet.type;
    case 'DISCONNECT':
    case 'AUTH':
      return words(packet.type, packet.code !== undefined && code(packet.code), told(packet.properties));
  }
}

/** `t/1 QoS 1 No Local`, with the options of 5.0 that are set. */
function subscription({ filter, qos, noLocal, retainAsPublished, retainHandling }: Subscription): string {
  return words(
    shorten(filter),
    `QoS ${qos}`,
    noLocal && 'No Local',
    retainAsPublished && 'Retain As Published',
    !!retainHandling && `Retain Handling ${retainHandling}`,
  );
}

/** `{Topic Alias 1, User Property a=b}`: the properties of a packet, by the names of the standard. */
function told(properties: Properties | undefined): string | undefined {
  if (!properties) return undefined;
  const shown = propertyTable.flatMap(({ name, title }) => {
    const value = properties[name];
    if (value === undefined) return [];
    const several = Array.isArray(value) ? value : [value];
    return several.map((each) => `${title} ${property(each)}`);
  });
  return shown.length > 0
    ? `{${shown.length > 8 ? `${shown.slice(0, 8).join(', ')} and ${shown.length - 8} more` : shown.join(', ')}}`
    : undefined;
}

function property(value: unknown): string {
  if (value instanceof Uint8Array) return payload(value);
  return Array.isArray(value) ? value.map((each) => quote(String(each))).join('=') : quote(String(value));
}

function within(properties: Properties | undefined): string {
  const shown = told(properties);
  return shown ? ` ${shown}` : '';
}

/** `0x80`. */
export function code(value: number): string {
  return `0x${value.toString(16).padStart(2, '0').toUpperCase()}`;
}

function words(...parts: readonly (string | false | undefined)[]): string {
  return parts.filter((part) => part).join(' ');
}

function list(items: readonly string[]): string {
  const shown = items.slice(0, 4).join(', ');
  return items.length > 4 ? `${shown} and ${items.length - 4} more` : shown;
}

function shorten(text: string): string {
  const clean = printable(text);
  return clean.length > longest ? `${clean.slice(0, longest)}… (${text.length} characters)` : clean || '(empty)';
}

function quote(text: string): string {
  return text ? shorten(text) : "''";
}

/** The bytes as text where they are text, else their number. */
function payload(bytes: Uint8Array): string {
  if (bytes.length === 0) return '(no payload)';
  const text = Buffer.from(bytes.subarray(0, longest)).toString('latin1');
  return bytes.length <= longest && /^[\x20-\x7e]*$/.test(text) ? `'${text}'` : `(${bytes.length} bytes)`;
}

/** Text with control characters made visible. */
function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
