/**
 * What the proof lets pass, each with its reason: `<requirement>` where no broken broker can be told from a conforming one, or
 * `<case> <requirement>` where one case cannot notice. This list may only shrink.
 */
export const excuses: Readonly<Record<string, string>> = {};
