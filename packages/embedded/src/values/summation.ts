// Sums of many numbers: exact for integers and decimals, and for doubles as exact as two of them can hold.
import { type Decimal128, Double } from 'bson';
import { addDecimals, type Decimal, decimalFromBigInt, divideDecimals, makeDecimal, parseDecimal } from './decimal.ts';
import { exact, integer } from './number.ts';
import type { Numeric } from './value.ts';

/** Up to this a JavaScript number takes one more int32 and stays exact. */
const MOST_BEFORE_INT32 = 2 ** 52;

const WIDTHS = { Int32: 0, Long: 1, Double: 2, Decimal128: 3 } as const;

/**
 * A running sum. Its result has the widest of the types that were added; int32s that outgrow int32 give an int64, and
 * integers beyond that a double.
 */
export class Sum {
  #width: number = WIDTHS.Int32;
  #count = 0;
  /** The int32s, as long as a number holds their sum. */
  #small = 0;
  #large = 0n;
  /** The doubles: their sum, what rounding took from it, and the plain sum for infinities and NaN. */
  #high = 0;
  #low = 0;
  #plain = 0;
  #decimal: Decimal = decimalFromBigInt(0n);

  /** How many numbers were added. */
  get count(): number {
    return this.#count;
  }

  add(value: Numeric): void {
    this.#count += 1;
    this.#width = Math.max(this.#width, WIDTHS[value._bsontype]);
    switch (value._bsontype) {
      case 'Int32':
        this.#small += value.value;
        if (Math.abs(this.#small) > MOST_BEFORE_INT32) this.#settle();
        return;
      case 'Long':
        this.#large += value.toBigInt();
        return;
      case 'Double':
        this.#addDouble(value.value);
        return;
      case 'Decimal128':
        this.#decimal = addDecimals(this.#decimal, parseDecimal(value));
    }
  }

  total(): Numeric {
    if (this.#width <= WIDTHS.Long) return integer(this.#integers(), this.#width === WIDTHS.Long ? 'long' : 'int');
    return this.#width === WIDTHS.Double ? new Double(this.#double()) : makeDecimal(this.#decimals());
  }

  /** The sum divided by how many were added; there is at least one. */
  mean(): Double | Decimal128 {
    if (this.#width <= WIDTHS.Double) return new Double(this.#double() / this.#count);
    return makeDecimal(divideDecimals(this.#decimals(), decimalFromBigInt(BigInt(this.#count))));
  }

  #settle(): void {
    this.#large += BigInt(this.#small);
    this.#small = 0;
  }

  #integers(): bigint {
    this.#settle();
    return this.#large;
  }

  /** Knuth's TwoSum: what the rounded sum lacks is kept. */
  #addDouble(value: number): void {
    this.#plain += value;
    const sum = this.#high + value;
    const part = sum - this.#high;
    this.#low += this.#high - (sum - part) + (value - part);
    this.#high = sum;
  }

  #double(): number {
    const integers = this.#integers();
    const whole = Number(integers);
    this.#addDouble(whole);
    this.#addDouble(Number(integers - BigInt(whole)));
    this.#large = 0n;
    const sum = this.#high + this.#low;
    return Number.isFinite(sum) ? sum : this.#plain;
  }

  #decimals(): Decimal {
    const doubles = Number.isFinite(this.#high + this.#low) ? [this.#high, this.#low] : [this.#plain];
    const parts = doubles.filter((part) => part !== 0).map((part) => exact(new Double(part)));
    return [decimalFromBigInt(this.#integers()), ...parts].reduce(addDecimals, this.#decimal);
  }
}

/** The standard deviation of a stream of numbers, by Welford's method. */
export class Deviation {
  #count = 0;
  #mean = 0;
  #squares = 0;

  add(value: number): void {
    this.#count += 1;
    const before = value - this.#mean;
    this.#mean += before / this.#count;
    this.#squares += before * (value - this.#mean);
  }

  /** Of the whole population, null if it is empty; of a sample, null if it has fewer than two. */
  result(of: 'population' | 'sample'): Double | null {
    const divisor = of === 'sample' ? this.#count - 1 : this.#count;
    return divisor <= 0 ? null : new Double(Math.sqrt(this.#squares / divisor));
  }
}
