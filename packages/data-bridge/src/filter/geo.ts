import { isPlainObject } from '../bson/plain-object.ts';
import { typeName } from '../schema/bson-types.ts';
import { UsageError } from '../errors.ts';

/** A place on Earth in degrees: longitude from -180 to 180, then latitude from -90 to 90. */
export type Position = readonly [longitude: number, latitude: number];

/** A GeoJSON geometry (RFC 7946), as MongoDB stores and queries it. */
export type Geometry =
  | { readonly type: 'Point'; readonly coordinates: Position }
  | { readonly type: 'MultiPoint' | 'LineString'; readonly coordinates: readonly Position[] }
  | { readonly type: 'MultiLineString' | 'Polygon'; readonly coordinates: readonly (readonly Position[])[] }
  | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly (readonly Position[])[])[] };

/** How far: exactly one of the three. */
export type Distance = { readonly meters: number } | { readonly kilometers: number } | { readonly miles: number };

/** The radius of the Earth by which MongoDB turns distances into radians. https://www.mongodb.com/docs/manual/core/indexes/index-types/geospatial/2d/calculate-distances/ */
const EARTH_RADIUS = { meters: 6_378_100, kilometers: 6378.1, miles: 3963.2 } as const;

/** Conditions on a field that holds a place. */
export interface Near {
  readonly $near: {
    readonly $geometry: { readonly type: 'Point'; readonly coordinates: Position };
    readonly $maxDistance?: number;
    readonly $minDistance?: number;
  };
}
export interface Within {
  readonly $geoWithin:
    | { readonly $geometry: Geometry }
    | { readonly $box: readonly [Position, Position] }
    | { readonly $centerSphere: readonly [Position, number] };
}
export interface Intersects {
  readonly $geoIntersects: { readonly $geometry: Geometry };
}

/** Any condition on a field that holds a place. */
export type GeoCondition = Near | Within | Intersects;

/**
 * Near a place, nearest first; the field needs a `2dsphere` index.
 *
 * ```ts
 * await Shop.find({ place: near([-73.97, 40.77], { maxDistance: 1000 }) });
 * ```
 *
 * @param options the greatest and the least distance, in metres.
 * @throws UsageError for what is no place on Earth, or no distance.
 */
export function near(
  position: Position,
  { maxDistance, minDistance }: { readonly maxDistance?: number; readonly minDistance?: number } = {},
): Near {
  return {
    $near: {
      $geometry: { type: 'Point', coordinates: checkPosition('near', position) },
      ...(maxDistance !== undefined && { $maxDistance: checkDistance('maxDistance', maxDistance) }),
      ...(minDistance !== undefined && { $minDistance: checkDistance('minDistance', minDistance) }),
    },
  };
}

/** Inside a box on a flat map, by its lower left and upper right corners; a `2d` index helps. @throws UsageError */
export function withinBox(lowerLeft: Position, upperRight: Position): Within {
  return { $geoWithin: { $box: [checkPosition('withinBox', lowerLeft), checkPosition('withinBox', upperRight)] } };
}

/**
 * Inside a polygon: a ring of places, the last of which is the first again; further rings are holes.
 *
 * @throws UsageError for a ring that is not closed.
 */
export function withinPolygon(...rings: readonly [readonly Position[], ...(readonly Position[])[]]): Within {
  return { $geoWithin: { $geometry: polygon('withinPolygon', rings) } };
}

/** Inside a circle on the globe. @throws UsageError */
export function withinCircle(center: Position, radius: Distance): Within {
  return { $geoWithin: { $centerSphere: [checkPosition('withinCircle', center), radians(radius)] } };
}

/** Shares a point with a geometry. @throws UsageError for a polygon whose ring is not closed. */
export function intersects(geometry: Geometry): Intersects {
  if (!isPlainObject(geometry))
    throw new UsageError(`intersects() takes a geometry { type, coordinates }, got ${typeName(geometry)}.`);
  if (geometry.type === 'Polygon')
    return { $geoIntersects: { $geometry: polygon('intersects', geometry.coordinates) } };
  return { $geoIntersects: { $geometry: geometry } };
}

function polygon(method: string, rings: readonly (readonly Position[])[]): Geometry {
  for (const ring of rings) {
    if (!Array.isArray(ring)) throw new UsageError(`${method}() takes rings of places, got ${typeName(ring)}.`);
    ring.forEach((position) => checkPosition(method, position));
    const [first, last] = [ring[0], ring.at(-1)];
    if (ring.length < 4 || first?.[0] !== last?.[0] || first?.[1] !== last?.[1])
      throw new UsageError(`${method}() takes rings of at least four places of which the last is the first again.`);
  }
  return { type: 'Polygon', coordinates: rings };
}

function radians(radius: Distance): number {
  const [[unit, distance] = [], ...others] = Object.entries(radius);
  const earth = Object.hasOwn(EARTH_RADIUS, unit ?? '') ? EARTH_RADIUS[unit as keyof typeof EARTH_RADIUS] : undefined;
  if (earth === undefined || others.length > 0)
    throw new UsageError('withinCircle() takes a radius as one of { meters }, { kilometers } and { miles }.');
  return checkDistance(unit as string, distance as number) / earth;
}

function checkDistance(name: string, distance: number): number {
  if (typeof distance !== 'number' || !(distance >= 0 && Number.isFinite(distance)))
    throw new UsageError(
      `"${name}" is a distance: expected a number from 0, got ${distance < 0 ? 'a negative one' : typeName(distance)}.`,
    );
  return distance;
}

function checkPosition(method: string, position: Position): Position {
  const [longitude, latitude, ...more] = Array.isArray(position) ? (position as number[]) : [];
  if (more.length === 0 && isWithin(longitude, 180) && isWithin(latitude, 90)) return position;
  throw new UsageError(
    `${method}() takes places as [longitude, latitude] in degrees, longitude from -180 to 180 and latitude from -90 to 90.`,
  );
}

function isWithin(degrees: number | undefined, limit: number): boolean {
  return typeof degrees === 'number' && Math.abs(degrees) <= limit;
}
