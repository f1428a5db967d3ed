/** The table of contents: every chapter of the suites, in the order of the standard. */

import type { Chapter } from '../harness/case.ts';
import { qos } from './4.3-qos.ts';

export const chapters: readonly Chapter[] = [qos];
