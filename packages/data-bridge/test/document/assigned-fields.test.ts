import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssignedFields } from '../../src/document/assigned-fields.ts';
import { runs } from '../support/arbitrary.ts';

const name = fc.constantFrom<string>('a', 'b', 'c', 'd');
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom('add', 'delete', 'has'), name }),
  fc.record({ kind: fc.constant('keep'), names: fc.array(name) }),
  fc.record({ kind: fc.constant('begin'), names: fc.uniqueArray(name) }),
  fc.record({ kind: fc.constant('clear') }),
);

describe('AssignedFields', () => {
  it('is a set, whatever it began with', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const fields = new AssignedFields();
        let expected = new Set<string>();
        for (const each of steps) {
          if ('name' in each) {
            const known = expected.has(each.name);
            if (each.kind === 'add') fields.add(each.name);
            else expect(each.kind === 'has' ? fields.has(each.name) : fields.delete(each.name)).toBe(known);
            if (each.kind === 'add') expected.add(each.name);
            if (each.kind === 'delete') expected.delete(each.name);
          } else if ('names' in each) {
            const { names } = each;
            if (each.kind === 'begin') {
              fields.begin(names);
              expected = new Set(names);
            } else {
              fields.keep((one) => names.includes(one));
              expected = new Set([...expected].filter((one) => names.includes(one)));
            }
          } else {
            fields.clear();
            expected.clear();
          }
          expect(fields.list().toSorted()).toEqual([...expected].toSorted());
        }
      }),
      runs(300),
    );
  });

  it('does not change the list that it was given', () => {
    const given = ['a', 'b'];
    const fields = new AssignedFields();
    fields.begin(given);
    fields.add('c');
    fields.delete('a');
    expect(given).toEqual(['a', 'b']);
  });
});
