/** Options of the driver that say how bytes are read: the mapper reads them itself, as the connection says. */
export const DECODING = [
  'fieldsAsRaw',
  'promoteValues',
  'promoteLongs',
  'promoteBuffers',
  'useBigInt64',
  'bsonRegExp',
  'enableUtf8Validation',
] as const;
