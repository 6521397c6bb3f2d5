import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Numbers of errors of the system (a full disk, a file as large as it may be, a used up quota), and of LMDB (a full map). */
const NO_SPACE: ReadonlySet<unknown> = new Set([28, 27, 122, -30_792]);
/** What LMDB makes of a write of which only a part had room, and of a broken disk. */
const INPUT_OUTPUT = 5;

/** A disk with less room than that is full where a write to it fails. */
const LITTLE_SPACE = 16 * 2 ** 20;
const PROBE_BYTES = 64 * 1024;

/** True where an error of LMDB, or its cause, says that there is no room for what was to be written to a file. */
export function isOutOfSpace(error: unknown, folder: string, file: string): boolean {
  if (!(error instanceof Error)) return false;
  const code: unknown = 'code' in error ? error.code : undefined;
  if (NO_SPACE.has(code)) return true;
  return code === INPUT_OUTPUT ? !canGrow(folder, file) : isOutOfSpace(error.cause, folder, file);
}

/** Tries it with another file of that size: a quota, or a limit of the process, is not to be had otherwise. */
function canGrow(folder: string, file: string): boolean {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < LITTLE_SPACE) return false;
  const path = join(folder, 'probe.tmp');
  const probe = openSync(path, 'w', 0o600);
  try {
    return (
      writeSync(probe, Buffer.alloc(PROBE_BYTES), 0, PROBE_BYTES, statSync(join(folder, file)).size) === PROBE_BYTES
    );
  } catch {
    return false;
  } finally {
    closeSync(probe);
    rmSync(path);
  }
}
