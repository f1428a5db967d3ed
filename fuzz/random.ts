/** Pseudo-random picks that are the same for the same seed, everywhere and in any order of the cases. */

/** The 32-bit generator sfc32 (small, fast, counting). Not for secrets. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** The state for one number of a seed: neighbouring numbers have nothing to do with each other. */
  constructor(seed: string, index = 0) {
    this.#a = hash(seed);
    this.#b = index | 0;
    this.#c = Math.floor(index / 2 ** 32) | 0;
    // So many rounds until each bit of the seed has reached every bit of the state.
    for (let round = 0; round < 12; round++) this.uint32();
  }

  /** 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * limit);
  }

  /** Both ends included. */
  between(least: number, greatest: number): number {
    return least + this.below(greatest - least + 1);
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of a list, which must not be empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at++) bytes[at] = this.below(256);
    return bytes;
  }
}

/** FNV-1a over the UTF-16 units. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum;
}
