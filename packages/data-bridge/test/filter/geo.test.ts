import { describe, expect, it } from 'vitest';
import { intersects, near, UsageError, withinBox, withinCircle, withinPolygon } from '../../src/index.ts';

const ring = [
  [0, 0],
  [0, 5],
  [5, 5],
  [5, 0],
  [0, 0],
] as const;

describe('conditions on places', () => {
  it('GEO-01 near() names a point', () => {
    expect(near([-73.97, 40.77])).toEqual({
      $near: { $geometry: { type: 'Point', coordinates: [-73.97, 40.77] } },
    });
  });

  it('GEO-02 near() takes a greatest distance', () => {
    expect(near([-73.97, 40.77], { maxDistance: 1000 }).$near.$maxDistance).toBe(1000);
  });

  it('GEO-03 near() takes a least distance', () => {
    expect(near([-73.97, 40.77], { minDistance: 100 }).$near).toEqual({
      $geometry: { type: 'Point', coordinates: [-73.97, 40.77] },
      $minDistance: 100,
    });
  });

  it('GEO-04 withinBox() gives the corners', () => {
    expect(withinBox([-74, 40], [-73, 41])).toEqual({
      $geoWithin: {
        $box: [
          [-74, 40],
          [-73, 41],
        ],
      },
    });
  });

  it('GEO-05 withinPolygon() gives a polygon of the ring', () => {
    expect(withinPolygon(ring)).toEqual({ $geoWithin: { $geometry: { type: 'Polygon', coordinates: [ring] } } });
  });

  it('GEO-06 withinCircle() turns 10 miles into radians', () => {
    expect(withinCircle([-73.97, 40.77], { miles: 10 })).toEqual({
      $geoWithin: { $centerSphere: [[-73.97, 40.77], 10 / 3963.2] },
    });
  });

  it.each([{ meters: 6_378_100 }, { kilometers: 6378.1 }])('turns %o into one radian', (radius) => {
    expect(withinCircle([0, 0], radius).$geoWithin).toEqual({ $centerSphere: [[0, 0], 1] });
  });

  it('GEO-07 intersects() names the polygon', () => {
    const polygon = { type: 'Polygon', coordinates: [ring] } as const;
    expect(intersects(polygon)).toEqual({ $geoIntersects: { $geometry: polygon } });
  });

  it.each<[string, () => unknown]>([
    ['latitude first', () => near([40.77, -173.97])],
    ['a place with one number', () => near([1] as never)],
    ['a place of texts', () => near(['1', '2'] as never)],
    ['a place that is no list', () => near({ lon: 1, lat: 2 } as never)],
    ['a negative distance', () => near([0, 0], { maxDistance: -1 })],
    ['a distance that is no number', () => near([0, 0], { minDistance: '1' as never })],
    ['a ring that is not closed', () => withinPolygon(ring.slice(0, 4))],
    ['a ring of three places', () => withinPolygon([ring[0], ring[1], ring[0]])],
    ['an open ring to intersect with', () => intersects({ type: 'Polygon', coordinates: [ring.slice(0, 4)] })],
    ['a radius of two units', () => withinCircle([0, 0], { miles: 1, meters: 1 })],
    ['a radius of another unit', () => withinCircle([0, 0], { feet: 1 } as never)],
    ['a radius without a unit', () => withinCircle([0, 0], {} as never)],
  ])('refuses %s', (_, make) => {
    expect(make).toThrow(UsageError);
  });
});
