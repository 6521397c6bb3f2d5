import type { DocumentClass } from '../save/document.ts';
import {
  fieldsAsOf,
  historyOf,
  historyOfDocument,
  restoreDocument,
  revertDocument,
  revisionOf,
} from './history-model.ts';
import type { HistoryOptions, HistoryPage } from '../history/page.ts';
import type { ReadOptions } from '../history/read.ts';
import { type HistoryRepair, pruneHistory, repairHistory } from '../history/repair.ts';
import { recordedModel } from '../history/record.ts';
import type { SaveOptions } from '../save/save.ts';
import { definitionOf, ModelDocument } from './model-document.ts';

/** With the members of a model whose history is kept. Types are `HistoryStatics` and `HistoryDocument`. */
export class RecordedDocument extends ModelDocument {
  get $revision(): number | null {
    return revisionOf(this);
  }

  async $history(options?: HistoryOptions): Promise<HistoryPage> {
    return historyOfDocument(this, options);
  }

  async $revert(revision: number, options?: Omit<SaveOptions, 'cascade'>): Promise<this> {
    await revertDocument(this, revision, options);
    return this;
  }

  static async history(this: DocumentClass, id: unknown, options?: HistoryOptions): Promise<HistoryPage> {
    return historyOf(this, id, options);
  }

  static async asOf(
    this: DocumentClass,
    id: unknown,
    when: Date | number,
    options?: ReadOptions,
  ): Promise<object | null> {
    return fieldsAsOf(this, id, when, options);
  }

  static async restore(this: DocumentClass, id: unknown, options?: Omit<SaveOptions, 'cascade'>): Promise<unknown> {
    return restoreDocument(this, id, options);
  }

  static async pruneHistory(this: DocumentClass, options: { readonly olderThan: Date }): Promise<number> {
    return pruneHistory(recordedModel(definitionOf(this)), options);
  }

  static async repairHistory(this: DocumentClass, options?: { readonly olderThan?: Date }): Promise<HistoryRepair> {
    return repairHistory(recordedModel(definitionOf(this)), options);
  }
}
