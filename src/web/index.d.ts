// The types of the package: those of confab.js, and of what confab sends.
export * from './confab.js';
export type * from './types.d.ts';
