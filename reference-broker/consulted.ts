import type { Gate } from './obeys.ts';
export const consulted: readonly Gate[] = [];
