/** A document of fewer fields is read one by one: there is little to gain. */
const fewest = 4;
/** At most so many documents are read whole before one is read field by field again. */
const longest = 16;

/**
 * Predicts whether a document of which a field is read will be read whole, as a program does that shows or copies what it
 * loads: then one walk over the bytes is faster than a search for each field. But what is decoded and not read takes memory
 * for nothing, so this is learned from documents that are read field by field, by samples: after a sample that was read
 * whole so are the next one, two, four, up to sixteen documents, and then comes another sample. One document that is read
 * whole among others makes a single one large.
 */
export class ReadingHabit {
  /** How many fields the document has that is being read field by field, and how many of them were read. */
  #fields = 0;
  #reads = 0;
  #isSample = false;
  /** How many documents are still to be read whole, and how many there were to be. */
  #left = 0;
  #stretch = 0;

  /** A document is read for the first time: whether to decode all of it. */
  predictsWhole(): boolean {
    if (this.#left > 0) {
      this.#left -= 1;
      return true;
    }
    const wasWhole = this.#isSample && this.#reads >= fewest && this.#reads * 4 >= this.#fields * 3;
    // After a stretch of whole ones there is no sample yet: this document is the next.
    if (this.#isSample && !wasWhole) this.#stretch = 0;
    this.#reads = 0;
    this.#isSample = !wasWhole;
    if (!wasWhole) return false;
    this.#stretch = Math.min(longest, Math.max(1, this.#stretch * 2));
    this.#left = this.#stretch - 1;
    return true;
  }

  /** The program turned to another document, of so many fields: what is read from now on is read of that one. */
  turnTo(fields: number): void {
    this.#fields = fields;
    this.#reads = 0;
  }

  /** A field of that document was decoded by itself. */
  readOne(): void {
    this.#reads += 1;
  }
}
