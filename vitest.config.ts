import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{harness,suites,reference-broker,fuzz}/**/*.test.ts'],
    // A deadline for a stuck test, generous because machines are slow and shared; nothing asserts on time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
