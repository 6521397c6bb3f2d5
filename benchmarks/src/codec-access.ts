import type { decodeDocument, decodeTransient } from '../../packages/data-bridge/src/bson/decode.ts';
import type { Layout } from '../../packages/data-bridge/src/bson/layout.ts';

/** The decoder below the public names: the only thing that is measured from inside. */
export interface Codec {
  readonly Layout: typeof Layout;
  readonly decodeDocument: typeof decodeDocument;
  readonly decodeTransient: typeof decodeTransient;
}

async function built(module: string): Promise<object> {
  return (await import(new URL(`../../packages/data-bridge/dist/bson/${module}.js`, import.meta.url).href)) as object;
}

/** Loads it from the build of the workspace: the package exports none of it. */
export async function codec(): Promise<Codec> {
  return { ...(await built('decode')), ...(await built('layout')) } as Codec;
}
