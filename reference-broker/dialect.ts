/** How server and client speak on one connection: the version, the terms of the client, and all that is counted by connection. */

import type { Version } from '../harness/spec/index.ts';
import { IncomingAliases } from './aliases.ts';
import { ReceiveQuota, SendQuota } from './flow.ts';
import type { Obeys } from './obeys.ts';
import { Output } from './output.ts';
import { Publications } from './publications.ts';
import type { Server } from './server.ts';
import type { Terms } from './terms.ts';

export class Dialect {
  readonly version: Version;
  /** Asked for all that concerns this connection: about the requirements of its version. */
  readonly obeys: Obeys;
  readonly terms: Terms;
  readonly output: Output;
  readonly publications: Publications;
  readonly sendQuota: SendQuota;
  readonly receiveQuota: ReceiveQuota;
  readonly aliases: IncomingAliases;

  /** @param topics Topic Aliases of an earlier connection, which no broker keeps. */
  constructor(server: Server, version: Version, terms: Terms, topics?: Map<number, string>) {
    const { obeysIn, choices, limits } = server;
    const obeys = obeysIn[version];
    this.version = version;
    this.obeys = obeys;
    this.terms = terms;
    this.output = new Output(obeys, choices, version, terms);
    this.publications = new Publications(server, obeys, version, terms);
    this.sendQuota = new SendQuota(terms.receiveMaximum, obeys);
    this.receiveQuota = new ReceiveQuota(version === 'v5' ? limits.receiveMaximum : Number.POSITIVE_INFINITY);
    this.aliases = new IncomingAliases(version === 'v5' ? limits.topicAliasMaximum : 0, obeys, topics);
  }
}
