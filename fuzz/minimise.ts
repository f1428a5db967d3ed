/** Finds the smallest script that still shows what was found: fewer steps, fewer clients, simpler fields, fewer bytes. */

import { bodyOf, framed, type Raw, readable, withBody } from './minimise/frames.ts';
import { simpler } from './minimise/simpler.ts';
import type { Script, Step } from './script.ts';

export interface MinimiseOptions {
  /** How often the script may be tried; 500 unless given. */
  readonly attempts?: number;
  /** Whether to come to an end: what was found so far is the result. */
  readonly isOver?: () => boolean;
  /** Told of each smaller script that still shows it. */
  readonly onSmaller?: (script: Script) => void;
}

export interface Minimised {
  readonly script: Script;
  /** How often a script was tried. */
  readonly attempts: number;
  /** Nothing more could be taken away; false if the attempts were used up, or it was told to end. */
  readonly complete: boolean;
}

/**
 * The smallest script that can be found. `shows` says whether a script still shows what it is about; of the given one that is taken for
 * granted. Rejects with what `shows` rejects with. Bytes that stand for packets become packets on the way, so foreign input shrinks too.
 */
export async function minimise(
  script: Script,
  shows: (script: Script) => Promise<boolean>,
  options: MinimiseOptions = {},
): Promise<Minimised> {
  const search = new Search(script, shows, options);
  await search.adopt(framed(script));
  await search.adopt(readable(search.best));
  let before: Script | undefined;
  while (before !== search.best && !search.isOver) {
    before = search.best;
    await fewerSteps(search);
    await fewerClients(search);
    await simplerSteps(search);
    await fewerBytes(search);
  }
  return { script: search.best, attempts: search.attempts, complete: !search.isOver };
}

class Search {
  best: Script;
  attempts = 0;
  readonly #shows: (script: Script) => Promise<boolean>;
  readonly #options: MinimiseOptions;
  /** What was tried already, so that going round once more costs nothing. */
  readonly #tried = new Set<string>();

  constructor(script: Script, shows: (script: Script) => Promise<boolean>, options: MinimiseOptions) {
    this.best = script;
    this.#shows = shows;
    this.#options = options;
    this.#tried.add(JSON.stringify(script));
  }

  get isOver(): boolean {
    return this.attempts >= (this.#options.attempts ?? 500) || (this.#options.isOver?.() ?? false);
  }

  /** Takes the script for the best one if it still shows it. */
  async adopt(candidate: Script): Promise<boolean> {
    const key = JSON.stringify(candidate);
    if (this.isOver || this.#tried.has(key)) return false;
    this.#tried.add(key);
    this.attempts++;
    if (!(await this.#shows(candidate))) return false;
    this.best = candidate;
    this.#options.onSmaller?.(candidate);
    return true;
  }

  adoptSteps(steps: readonly Step[]): Promise<boolean> {
    return this.adopt({ ...this.best, steps });
  }

  adoptStep(at: number, step: Step): Promise<boolean> {
    return this.adoptSteps(this.best.steps.with(at, step));
  }
}

/** Takes away pieces of a list, halves first, then smaller ones, from the end, as long as `adopt` takes what is left. */
async function fewer<T>(list: readonly T[], adopt: (left: readonly T[]) => Promise<boolean>): Promise<readonly T[]> {
  let best = list;
  for (let size = Math.ceil(list.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let end = best.length; end > 0; end -= size) {
      const left = best.toSpliced(Math.max(0, end - size), Math.min(size, end));
      if (await adopt(left)) best = left;
    }
  }
  return best;
}

async function fewerSteps(search: Search): Promise<void> {
  await fewer(search.best.steps, (steps) => search.adoptSteps(steps));
}

/** Without each client, then with two as one; what no step names any more is left out. */
async function fewerClients(search: Search): Promise<void> {
  for (let client = search.best.clients.length - 1; client >= 0; client--) {
    await search.adopt(tidy({ ...search.best, steps: search.best.steps.filter((step) => step.client !== client) }));
    for (let into = 0; into < Math.min(client, search.best.clients.length - 1); into++) {
      const steps = search.best.steps.map((step) => (step.client === client ? { ...step, client: into } : step));
      await search.adopt(tidy({ ...search.best, steps }));
    }
  }
  await search.adopt(tidy(search.best));
}

function tidy({ clients, steps }: Script): Script {
  const used = clients.map((_, client) => client).filter((client) => steps.some((step) => step.client === client));
  // A script has a client, even if that does nothing.
  if (used.length === 0) return { clients: clients.slice(0, 1), steps: [] };
  return {
    clients: used.map((client) => clients[client] as Script['clients'][number]),
    steps: steps.map((step) => ({ ...step, client: used.indexOf(step.client) })),
  };
}

async function simplerSteps(search: Search): Promise<void> {
  for (let at = search.best.steps.length - 1; at >= 0; at--) {
    while (await adoptAny(search, at, simpler(search.best.steps[at] as Step)));
  }
}

async function adoptAny(search: Search, at: number, candidates: readonly Step[]): Promise<boolean> {
  for (const candidate of candidates) if (await search.adoptStep(at, candidate)) return true;
  return false;
}

/** Bytes of raw steps: of their body with a Remaining Length that follows, then any. */
async function fewerBytes(search: Search): Promise<void> {
  for (let at = search.best.steps.length - 1; at >= 0; at--) {
    const step = search.best.steps[at];
    if (step?.do !== 'raw') continue;
    const body = bodyOf(step);
    if (body) await fewer([...body], (left) => search.adoptStep(at, withBody(step, Uint8Array.from(left))));
    const rest = search.best.steps[at] as Raw;
    await fewer(rest.hex.match(/../g) ?? [], async (left) => {
      return left.length > 0 && search.adoptStep(at, { ...rest, hex: left.join('') });
    });
  }
}
