import { cpus, loadavg } from 'node:os';

/** Where and with what figures are taken. */
export interface Circumstances {
  /** Such as `v24.21.0`. */
  readonly node: string;
  readonly machine: string;
  /** How busy the machine was before the case, where that is known. */
  readonly load?: number;
  /** Such as `2026-11-29`. */
  readonly date: string;
}

export function circumstances(): Circumstances {
  const models = cpus();
  return {
    node: process.version,
    machine: `${process.platform} ${process.arch}, ${models.length} × ${models[0]?.model.trim() ?? 'unknown CPU'}`,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    date: new Date().toISOString().slice(0, 10),
  };
}
