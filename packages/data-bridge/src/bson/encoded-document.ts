import { ObjectId } from 'mongodb';

/**
 * A document that is encoded already, as the driver takes it: in the place of a plain object, as the whole or inside of a
 * command. Encoding it copies its bytes.
 *
 * The bson package asks a document for `toBSON()`, and writes the members of what that gives. What it gives has one member, of
 * the one type whose values write themselves into the package's buffer: ObjectId. That one writes the bytes over the head of
 * the document around it, its own name included, and so leaves nothing but them. `connection/takes-encoded.ts` makes sure that the
 * driver does so.
 */
export class EncodedDocument {
  /** The driver looks whether there is one. */
  readonly _id: unknown;
  readonly #bytes: Uint8Array;

  /** @param bytes nobody changes them any more. */
  constructor(_id: unknown, bytes: Uint8Array) {
    this._id = _id;
    this.#bytes = bytes;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** For the bson package alone. */
  toBSON(): object {
    return { '': new Content(this.#bytes) };
  }
}

/** What the bson package has written of the document when it comes to the value: its size, the value's type, an empty name. */
const HEAD = 4 + 1 + 1;

class Content {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Gives how many bytes it has added. The package itself adds the end of the document, and its size once more. */
  serializeInto(buffer: Uint8Array, at: number): number {
    const bytes = this.#bytes;
    buffer.set(bytes.subarray(0, -1), at - HEAD);
    return bytes.length - 1 - HEAD;
  }
}

// An ObjectId to the bson package, without being made as one: that would count, and cost.
Object.setPrototypeOf(Content.prototype, ObjectId.prototype);
