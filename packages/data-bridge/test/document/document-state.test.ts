import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { EditTree } from '../../src/edits/edits.ts';
import { model } from '../../src/index.ts';
import { stateOf } from '../../src/document/tracked-document.ts';

class Note extends model('notes', { text: z.string(), tags: z.array(z.string()).default([]) }) {}

const tree: EditTree = { kind: 'object', children: new Map() };
const stored = () => stateOf(Note.hydrate({ _id: new ObjectId(), text: 'a', tags: ['x'] }));

/** What of a state is its own, and need not be put back. */
const FIXED = [
  // Which scopes an operation leaves out is said by each; a document that is stored again is that whatever becomes of it.
  'unscoped',
  'isRestored',
  'definition',
  'tracker',
  'owner',
  'operations',
  'part',
  'kept',
  'disturbed',
  'assigned',
  'defaults',
  'takenOver',
];

describe('the state of a document', () => {
  it('goes from planned to settled', () => {
    const state = stateOf(new Note({ text: 'a' }));
    expect(state).toMatchObject({ isNew: true, writing: null, lastSaved: null });
    state.planned(tree, []);
    expect(state.writing).toBe(tree);
    state.settled(tree);
    expect(state).toMatchObject({ isNew: false, writing: null, lastSaved: tree, unanswered: null });
  });

  it('keeps an unanswered write until it is known what became of it', () => {
    const state = stored();
    const write = { kind: 'insert', document: {}, entry: undefined } as const;
    state.planned(tree, []);
    state.unansweredBy(write);
    state.withdrawn();
    expect(state).toMatchObject({ unanswered: write, writing: null });
    state.answered();
    expect(state.unanswered).toBeNull();
  });

  it('places a write that is under way on a newer document, and no other', () => {
    const state = stored();
    state.replanned(tree);
    expect(state.writing).toBeNull();
    state.planned({ ...tree }, []);
    state.replanned(tree);
    expect(state.writing).toBe(tree);
  });

  it('forgets all of it when the document was read again', () => {
    const state = stored();
    const before = { ...state };
    state.planned(tree, []);
    state.unansweredBy({ kind: 'insert', document: {}, entry: undefined });
    state.deleted();
    state.doubted();
    state.reread();
    expect({ ...state }).toEqual(before);
  });

  it('is put back by a transaction in every part that a transition changes', () => {
    const state = stored();
    const before = { ...state };
    const progress = Object.keys(before).filter((name) => !FIXED.includes(name));
    const kept = state.keep();
    state.setOperators([{ keys: ['text'], operator: '$set', operand: 1, shown: 1 } as never], [{} as never]);
    state.planned(tree, [{} as never]);
    state.settled({ ...tree });
    state.planned(tree, []);
    state.unansweredBy({ kind: 'insert', document: {}, entry: undefined });
    state.deleted();
    state.doubted();
    (state as { isNew: boolean }).isNew = true;
    state.setOperators([{} as never], [{} as never]);
    const changed = progress.filter((name) => !Object.is({ ...state }[name as 'isNew'], before[name as 'isNew']));
    expect(changed.toSorted()).toEqual(progress.toSorted());
    expect(kept.isWritten()).toBe(true);
    kept.restore();
    expect({ ...state, kept: null }).toMatchObject(
      Object.fromEntries(progress.map((name) => [name, before[name as 'isNew']])),
    );
  });
});
