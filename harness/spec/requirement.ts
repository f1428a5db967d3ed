/** What a row of the requirement registry is. */

/** A version of the protocol: MQTT 3.1.1 (Protocol Level 4) or MQTT 5.0 (Protocol Level 5). */
export type Version = 'v3' | 'v5';

/** How strongly the standard demands it, in its own words. */
export type Level = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'MAY';

/** One requirement, in our own wording. Its id is the key that it has in the registry. */
export interface Requirement {
  /** Number of the section of the standard that states it. */
  readonly section: string;
  readonly level: Level;
  /** Whom it binds. */
  readonly party: 'server' | 'client' | 'both';
  /** Whether a client can observe that a server obeys it; `conditional`: only if `needs` is given. */
  readonly observable: 'yes' | 'conditional' | 'no';
  readonly text: string;
  /** Why no client can observe it. */
  readonly why?: string;
  /** What must be given before it can be observed. */
  readonly needs?: string;
}

/** Section number to section title. */
export type SectionTitles = Readonly<Record<string, string>>;
