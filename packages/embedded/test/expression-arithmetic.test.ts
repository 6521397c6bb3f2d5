// Expressions, as every server answers them.
import { D, dec, L } from './engine/support.ts';
import { expressions } from './support/expression-cases.ts';

const date = new Date(1000);
expressions('expressions: arithmetic', [
  [{ $add: [1, 2] }, {}, '3'],
  [{ $add: [1, L(2)] }, {}, '3L'],
  [{ $add: [1, 2.5] }, {}, '3.5'],
  [{ $add: [2147483647, 1] }, {}, '2147483648L'],
  [{ $add: [L('9223372036854775807'), 1] }, {}, '9223372036854776000.0'],
  [{ $add: ['$a', 1] }, {}, 'null'],
  [{ $add: [] }, {}, '0'],
  [{ $add: [D(5)] }, {}, '5.0'],
  [{ $add: [date, 500] }, {}, 'date(1500)'],
  [{ $add: [dec('0.1'), 1] }, {}, '1.1m'],
  [{ $subtract: [5, 7] }, {}, '-2'],
  [{ $subtract: [date, new Date(400)] }, {}, '600L'],
  [{ $subtract: [date, 1] }, {}, 'date(999)'],
  [{ $multiply: [2, 3, 1.5] }, {}, '9.0'],
  [{ $multiply: [] }, {}, '1'],
  [{ $divide: [1, 4] }, {}, '0.25'],
  [{ $divide: [4, 2] }, {}, '2.0'],
  [{ $divide: [1, null] }, {}, 'null'],
  [{ $mod: [-7, 4] }, {}, '-3'],
  [{ $mod: [7, D(4)] }, {}, '3.0'],
  [{ $sum: '$a' }, { a: [1, 'x', 2] }, '3'],
  [{ $sum: ['$a', 5, 'x'] }, { a: [1] }, '5'],
  [{ $avg: [1, 2] }, {}, '1.5'],
  [{ $avg: '$a' }, { a: ['x'] }, 'null'],
  [{ $max: '$a' }, { a: [1, 'x', null] }, '"x"'],
  [{ $max: [1, '$a', 3] }, { a: [9] }, '[9]'],
  [{ $min: [3, 1.5, null] }, {}, '1.5'],
  [{ $min: '$a' }, {}, 'null'],
  [{ $abs: -5 }, {}, '5'],
  [{ $abs: dec('-1.5') }, {}, '1.5m'],
  [{ $ceil: 1.2 }, {}, '2.0'],
  [{ $floor: L(3) }, {}, '3L'],
]);
