import { BSONRegExp, DBRef, ObjectId } from 'mongodb';

/* Values of classes, from what is stored of them. */

/** A DBRef if it has what one needs. The caller has seen that it has none but a DBRef's keys that start with `$`. */
export function toReference(object: Record<string, unknown>): unknown {
  const { $ref, $id, $db, ...fields } = object;
  if (typeof $ref !== 'string' || $id === undefined || $id === null) return object;
  if (typeof $db !== 'string' && Object.hasOwn(object, '$db')) return object;
  return new DBRef($ref, $id as ObjectId, $db as string | undefined, fields);
}

/** A copy: the program may change a binary value in place, and the document's bytes are what that is compared with. */
export function copyBytes(bytes: Uint8Array, from: number, to: number): Buffer {
  const data = Buffer.allocUnsafe(to - from);
  // A view to copy from costs more than a short loop.
  if (data.length > 64) data.set(bytes.subarray(from, to));
  else for (let i = 0; i < data.length; i++) data[i] = bytes[from + i] as number;
  return data;
}

/** The stored `s` is JavaScript's `g`, as the bson package has it. Null for what JavaScript cannot express. */
export function toRegExp(source: string, flags: string): RegExp | null {
  if (!/^[ims]*$/.test(flags)) return null;
  try {
    return new RegExp(source, flags.replaceAll('s', 'g'));
  } catch {
    return null;
  }
}

/** The options are set past the constructor: it refuses unknown ones, which a stored expression may have. */
export function toBsonRegExp(source: string, flags: string): BSONRegExp {
  const expression = new BSONRegExp(source, '');
  expression.options = flags.split('').toSorted().join('');
  return expression;
}

/** What the constructor also takes since bson 7.3; its types leave the offset out. */
type ObjectIdAt = new (bytes: Uint8Array, offset: number) => ObjectId;
const OffsetObjectId = ObjectId as unknown as ObjectIdAt;
const takesOffset = doesTakeOffset();

export function objectIdAt(bytes: Uint8Array, at: number): ObjectId {
  return takesOffset ? new OffsetObjectId(bytes, at) : new ObjectId(copyBytes(bytes, at, at + 12));
}

function doesTakeOffset(): boolean {
  try {
    return new OffsetObjectId(Buffer.from('_ObjectIdData'), 1).id[0] === 'O'.charCodeAt(0);
  } catch {
    return false;
  }
}
