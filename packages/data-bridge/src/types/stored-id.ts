/** What is stored of a reference to a document of one of several models. */
export interface StoredRef<I = unknown> {
  /** The name of the collection. */
  readonly model: string;
  readonly id: I;
}

/** Where the type of a reference keeps what is stored for it, if that is not its id. */
export declare const storedRef: unique symbol;

/** What is stored for a reference: its id, or which model's. */
export type StoredId<V> = V extends { readonly $id: infer I; readonly [storedRef]?: infer T }
  ? unknown extends T
    ? I
    : NonNullable<T>
  : never;

/** What any reference is. */
export interface AnyRef {
  readonly $id: unknown;
  readonly $isLoaded: boolean;
}
