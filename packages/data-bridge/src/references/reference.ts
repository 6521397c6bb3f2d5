import { customInspect, type Inspect, inspectAs } from '../bson/inspect.ts';
import { toJsonValue } from '../bson/json.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { refersTo } from '../filter/document-id.ts';
import { RefNotLoadedError } from '../errors.ts';
import { withArticle } from '../schema/bson-types.ts';
import type { ReferenceTarget } from '../schema/schema-library.ts';
import { boundLike } from '../definition/bound-like.ts';
import { fieldOf, type Linked, type LinkedModel } from './linked.ts';
import { withSiblings } from './siblings.ts';
import { type Loadable, loadSoon } from './load-targets.ts';
import { collectionOf, idIn, inOrder, knownModelIn, modelIn, storedAs } from './targets.ts';

/** The document and the field that a reference stands in. */
export interface Place {
  readonly owner: Linked;
  /** The field as the program calls it. */
  readonly field: string;
}

/**
 * What stands for the `_id` of another document where a program reads one. To BSON it is that id, so nothing that compares,
 * encodes or plans knows of it.
 */
export class Reference implements Loadable {
  readonly $id: unknown;
  /** True where a query was asked for the document: then JSON shows it. */
  isShown = false;
  readonly #target: ReferenceTarget;
  /** What is stored: the id, or which model's. */
  readonly #stored: unknown;
  readonly #place: Place | null;
  #document: Linked | null | undefined;
  #pending: Promise<void> | null = null;

  /**
   * @param stored what stands for it in BSON.
   * @param document the one that is meant, where it is known; null where it is known that there is none.
   */
  constructor(target: ReferenceTarget, stored: unknown, place: Place | null, document?: Linked | null) {
    this.#target = target;
    this.$id = target.isOneOf ? idIn(target, stored) : stored;
    this.#stored = target.isOneOf ? inOrder(stored) : stored;
    this.#place = place;
    this.#document = document;
  }

  get owner(): Linked | null {
    return this.#place === null ? null : this.#place.owner;
  }

  get $isLoaded(): boolean {
    return this.#document !== undefined;
  }

  get $doc(): Linked | null {
    if (this.#document !== undefined) return this.#document;
    const field = this.#place?.field;
    const advice = field === undefined ? '' : `ask for it by with("${field}"), or `;
    const name = field === undefined ? 'This reference' : `"${field}"`;
    throw new RefNotLoadedError(
      `${name} refers to ${withArticle(this.model.name)} that was not loaded: ${advice}await its $load().`,
      this.#place?.owner[definitionKey].context,
    );
  }

  /** The model that it refers to, on the connection of the document that it stands in. */
  get model(): LinkedModel {
    const place = this.#place;
    const model = knownModelIn(this.#target, this.#stored, place?.owner);
    return place === null ? model : boundLike(model, place.owner[definitionKey]);
  }

  /** Documents have it, too: filters and updates take a reference for the document. */
  get [definitionKey](): ModelDefinition {
    return this.model.prototype[definitionKey];
  }

  get [Symbol.toStringTag](): string {
    return 'Ref';
  }

  async $load(): Promise<Linked | null> {
    if (this.#document !== undefined) return this.#document;
    if (this.#pending === null) loadSoon(this.#siblings());
    await this.#pending;
    return this.#document ?? null;
  }

  /** This one, and those that are not loaded at the same place of the documents that came with this one's. */
  #siblings(): Reference[] {
    if (this.#place === null) return [this];
    const { owner, field } = this.#place;
    const all = withSiblings(owner).flatMap((each) => referencesIn(fieldOf(each, field)));
    // One that names no model is told of by whoever asks for it.
    const isAlike = (each: Reference): boolean =>
      each.#target === this.#target && each.#document === undefined && (each === this || each.#known !== undefined);
    return [...new Set([this, ...all])].filter((each) => isAlike(each) && each.#pending === null);
  }

  wait(pending: Promise<void> | null): void {
    this.#pending = pending;
  }

  settle(document: Linked | null): void {
    this.#document = document;
    this.#pending = null;
  }

  /**
   * The same at a place. One that has a place already stays there.
   *
   * @param target of the place: what is stored there may name the model, or not.
   */
  standingAt(target: ReferenceTarget | undefined, place: Place): Reference {
    const document = this.#document ?? undefined;
    const model = target === undefined || target.isOneOf === this.#target.isOneOf ? undefined : this.#known;
    if (target !== undefined && model !== undefined)
      return new Reference(target, storedAs(target, collectionOf(model), this.$id), place, document);
    return this.#place?.owner === place.owner ? this : new Reference(this.#target, this.#stored, place, document);
  }

  /** The model that it refers to; undefined where what is stored names none. */
  get #known(): LinkedModel | undefined {
    return modelIn(this.#target, this.#stored);
  }

  /** True where it refers to documents of this model. */
  [refersTo](model: LinkedModel): boolean {
    const document = this.#document;
    if (document) return isDocumentOf(model, document);
    const known = this.#known;
    return known !== undefined && isSameModel(known, model);
  }

  /** True for one that stands where the schema has this target. */
  isOf(target: ReferenceTarget): boolean {
    return this.#target === target;
  }

  toBSON(): unknown {
    return this.#stored;
  }

  /** In a text, of an address say, it is the id. */
  toString(): string {
    return String(this.$id);
  }

  toJSON(): unknown {
    // `JSON.stringify` does not ask what it is given here for its own `toJSON`.
    const shown = this.isShown ? this.#document : null;
    return shown ? shown.toJSON() : toJsonValue(this.#stored);
  }

  [customInspect](_depth: number, options: object, inspect?: Inspect): string {
    return inspectAs('Ref', this.#stored as object, options, inspect);
  }
}

/** True for a document of this model's class, of one that extends it, or of the same model on another connection. */
export function isDocumentOf(model: LinkedModel, document: object): boolean {
  return Object.prototype.isPrototypeOf.call(model.prototype, document);
}

/** Models on several connections are the same one here. Of a hierarchy they are two where neither extends the other. */
function isSameModel(model: LinkedModel, other: LinkedModel): boolean {
  const [one, another] = [model.prototype[definitionKey], other.prototype[definitionKey]];
  if (one.kin.root === another.kin.root) return one.kin.includes(another.kin) || another.kin.includes(one.kin);
  return one.collectionName === another.collectionName;
}

/** The references in a field's value. */
export function referencesIn(value: unknown): Reference[] {
  if (value instanceof Reference) return [value];
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (value instanceof Map) return [...value.values()].flatMap(referencesIn);
  return isPlainObject(value) ? Object.values(value).flatMap(referencesIn) : [];
}
