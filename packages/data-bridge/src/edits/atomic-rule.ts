import type { BsonTypeName } from '../bson/types.ts';
import type { Expression } from './expression.ts';

/** The two forms in which edits are sent: update operators, or an update pipeline. */
export type Form = 'operators' | 'pipeline';

/** Stands for the result of an operator on a stored value that it does not fit: the value in memory is stored then. */
export const UNFIT: unique symbol = Symbol('unfit');

/** All that the mapper knows of one atomic operator. */
export interface AtomicRule {
  // ── in memory ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What is wrong with the operand, or null. */
  readonly checkOperand: (operand: unknown) => string | null;
  /** What is wrong with the value, which is there, or null. */
  readonly checkValue: (value: unknown) => string | null;
  /** The new value, as the program has it. The old one is not written to. */
  readonly apply: (value: unknown, operand: unknown) => unknown;
  /** What it makes where there is no value; `undefined` for none. */
  readonly ofNothing: (operand: unknown) => unknown;
  /** True where the operand is compared with values of the document, so that text in it stands for what the schema makes of it. */
  readonly castsOperand: boolean;
  /** The operand as it is kept. */
  readonly single: (operand: unknown) => unknown;
  /** The operand that does what one after the other does; `undefined` where no operand does. */
  readonly fold: (first: unknown, second: unknown) => unknown;

  // ── as it is sent ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The update operator and its argument. */
  readonly operator: (operand: unknown) => readonly [name: string, argument: unknown];
  /** The new value of `current` in a pipeline; `otherwise` where the operator does not fit it. */
  readonly expression: (current: Expression, operand: unknown, otherwise: Expression) => Expression;

  // ── on the server ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the server makes of a stored value, or of `ABSENT`, BSON-typed; `UNFIT` where memory is stored instead. */
  readonly stored: (current: unknown, operand: unknown, form: Form) => unknown;
  /** True where sending it twice leaves what sending it once leaves. */
  readonly repeatable: (operand: unknown) => boolean;
  /** The BSON types to which the server applies it; null for any, so that it needs no second try. */
  readonly types: readonly BsonTypeName[] | null;
  /** True where it means the same whatever other writers did, so that it asks nothing of what is stored. */
  readonly standsAlone: boolean;
  /** True where the server alone knows the new value before it answers. */
  readonly isServerValue: boolean;
  /** True where the part of a value that was loaded is enough. */
  readonly takesPart: boolean;
}
