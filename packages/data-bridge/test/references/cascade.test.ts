import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BulkSaveError, model, ref } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Writer extends model('writers', {
  name: z.string().min(1),
  first: ref<Article>(() => Article).optional(),
  friends: ref<Writer>(() => Writer).array(),
}) {}
class Category extends model('categories', { name: z.string() }) {}
class Article extends model(
  'articles',
  { title: z.string(), writer: ref<Writer>(() => Writer), category: ref<Category>(() => Category).optional() },
  { history: true },
) {}

describe('save({ cascade: true })', () => {
  const database = useDatabase();

  beforeEach(async () => {
    await Promise.all([Writer.deleteMany({}), Category.deleteMany({}), Article.deleteMany({}, { history: false })]);
    database.sent();
  });

  const sent = (): string[] => database.sent().map((command) => Object.keys(command)[0] ?? '');

  it('without it only the document itself is stored (REL-01)', async () => {
    const article = new Article({ title: 't', writer: new Writer({ name: 'Ann', friends: [] }) });
    await article.save();
    expect(await Writer.count()).toBe(0);
    expect((await Article.findById(article._id))?.writer.$id).toEqual(article.writer.$id);
  });

  it('stores what every reference has loaded (REL-02, REL-03, REL-04)', async () => {
    const writer = new Writer({ name: 'Ann', friends: [] });
    const category = new Category({ name: 'News' });
    const article = new Article({ title: 't', writer, category });
    await article.save({ cascade: true });
    expect([await Writer.count(), await Category.count(), await Article.count()]).toEqual([1, 1, 1]);
    const found = await Article.findById(article._id).with('writer', 'category');
    expect([found?.writer.$doc?.name, found?.category?.$doc?.name]).toEqual(['Ann', 'News']);
    expect(found?.writer.$id).toEqual(writer._id);
    const second = await Article.create({ title: 'u', writer }, { cascade: true });
    expect((await Article.findById(second._id))?.writer.$id).toEqual(writer._id);
  });

  it('saves changes, through lists and circles, each once, and sends nothing for what is clean', async () => {
    const ann = new Writer({ name: 'Ann', friends: [] });
    const bob = new Writer({ name: 'Bob', friends: [ann] });
    ann.friends.push(bob);
    const article = new Article({ title: 't', writer: ann });
    ann.first = article;
    await article.save({ cascade: true });
    expect([await Writer.count(), await Article.count()]).toEqual([2, 1]);
    bob.name = 'Rob';
    await Writer.saveAll([article], { cascade: true });
    expect((await Writer.findById(bob._id))?.name).toBe('Rob');
    sent();
    await article.save({ cascade: true });
    expect(sent()).toEqual([]);
    const loaded = await Writer.findById(bob._id).with('friends');
    const friend = loaded?.friends[0]?.$doc;
    if (friend) friend.name = 'Anna';
    await loaded?.save({ cascade: true });
    expect((await Writer.findById(ann._id))?.name).toBe('Anna');
  });

  it('stores nothing that refers to what could not be stored, and tells of each what became of it', async () => {
    const article = new Article({ title: 't', writer: new Writer({ name: '', friends: [] }) });
    const error: unknown = await article.save({ cascade: true }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BulkSaveError);
    expect((error as BulkSaveError).results.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
    const taken = await Writer.create({ name: 'Ann', friends: [] });
    const second = new Article({ title: 't', writer: new Writer({ _id: taken._id, name: 'Bob', friends: [] }) });
    await expect(Article.saveAll([second], { cascade: true })).rejects.toThrow(BulkSaveError);
    expect(await Article.count()).toBe(0);
    const outcomes: unknown = await Article.saveAll([article], { cascade: true, ordered: false }).catch(
      (thrown: BulkSaveError) => thrown.results.map(({ outcome }) => outcome),
    );
    expect(outcomes).toEqual(['failed', 'inserted']);
  });

  it('is refused where it would not be followed', async () => {
    const article = await Article.create({ title: 't', writer: new Writer({ name: 'Ann', friends: [] }) });
    article.title = 'u';
    await article.save();
    const cascading: object = { cascade: true };
    await expect(article.$revert(1, cascading)).rejects.toThrow('does not take the option "cascade"');
  });
});
