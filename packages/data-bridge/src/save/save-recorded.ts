import { isUnknown, translate } from '../connection/write-outcome.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import type { DocumentState, Write } from '../document/document-state.ts';
import { recorderOf, type WriteBatch } from './recorder.ts';
import type { SaveOptions } from './save.ts';
import type { Written } from './save-batch.ts';
import { withdraw } from './settle.ts';

/*
 * Saves of many documents whose writes are recorded: those of one model are announced together, and finished together.
 */

/** A planned save, and what became of it; null while that is open. */
interface Job {
  readonly state: DocumentState;
  readonly write: Write;
  written: Written | null;
}

/** Jobs of one model that were announced. */
export interface AnnouncedJobs {
  readonly jobs: readonly Job[];
  readonly batch: WriteBatch;
}

/** So many go together: what is announced long before it is written could be taken for a write that never was. */
const MAX_TOGETHER = 1000;

/** The jobs in lists that are sent one after another; in one where nothing is recorded. */
export function partsOf<J extends Pick<Job, 'write'>>(jobs: readonly J[]): (readonly J[])[] {
  if (!jobs.some(({ write }) => write.entry !== undefined)) return [jobs];
  const parts: (readonly J[])[] = [];
  for (let at = 0; at < jobs.length; at += MAX_TOGETHER) parts.push(jobs.slice(at, at + MAX_TOGETHER));
  return parts;
}

/** Announces the jobs that are recorded, those of each model by one command. Those of which that fails are not saved. */
export async function announceJobs(jobs: readonly Job[], options: SaveOptions): Promise<AnnouncedJobs[]> {
  const byModel = new Map<ModelDefinition, Job[]>();
  for (const job of jobs) {
    if (job.write.entry === undefined) continue;
    const { definition } = job.state;
    const others = byModel.get(definition);
    if (others === undefined) byModel.set(definition, [job]);
    else others.push(job);
  }
  const announced: AnnouncedJobs[] = [];
  for (const [definition, group] of byModel) {
    try {
      const batch = await recorderOf(definition).announce(definition, group, options);
      if (batch !== null) announced.push({ jobs: group, batch });
    } catch (error) {
      for (const job of group) {
        withdraw(job.state);
        job.written = { isWritten: false, error: translate(error, job.state.context, definition) };
      }
    }
  }
  return announced;
}

/** Finishes what was announced, when all of it was sent. */
export async function finishJobs(announced: readonly AnnouncedJobs[]): Promise<void> {
  for (const { jobs, batch } of announced) {
    for (const { write, written } of jobs) noteFate(batch, write, written);
    const failures = await batch.finish();
    for (const job of jobs)
      if (failures.has(job.write)) job.written = { isWritten: true, error: failures.get(job.write) };
  }
}

/** Updates that were sent have told it themselves. */
function noteFate(batch: WriteBatch, write: Write, written: Written | null): void {
  if (written?.isWritten === true) {
    if (write.kind === 'insert') batch.inserted(write);
  } else if (!isUnknown(written?.error)) batch.dropped(write);
}
