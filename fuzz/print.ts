/** A script in the three forms that people want it in: to read, to try by hand, and to keep as a test. */

export { annotated } from './print/annotated.ts';
export { type About, caseSource } from './print/caseSource.ts';
export { shellLines } from './print/shell.ts';
