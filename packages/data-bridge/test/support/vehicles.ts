import { z } from 'zod';
import { model, ref } from '../../src/index.ts';

/** A hierarchy of three levels whose classes refer to each other, and to documents of another model. */
export class Owner extends model('owners', {
  name: z.string(),
  first: ref<Vehicle>(() => Vehicle).optional(),
  car: ref<Car>(() => Car).optional(),
}) {}

export class Vehicle extends model('vehicles', { name: z.string(), owner: ref<Owner>(() => Owner).optional() }) {
  get title(): string {
    return `~${this.name}`;
  }

  describe(): string {
    return `vehicle ${this.name}`;
  }

  static named<D extends Vehicle>(this: abstract new (...given: any) => D, name: string) {
    return Vehicle.find({ name }).of(this);
  }
}

export class Car extends Vehicle.extend({ doors: z.int() }, { type: 'car', class: () => Car }) {
  override describe(): string {
    return `car ${this.name} with ${this.doors} doors, a ${super.describe()}`;
  }
}

export class Sports extends Car.extend(
  { hp: z.int(), rival: ref<Sports>(() => Sports).optional() },
  { type: 'sports', class: () => Sports },
) {
  get fast(): boolean {
    return this.hp > 300;
  }
}

export class Motorcycle extends Vehicle.extend(
  { hasSidecar: z.boolean().default(false) },
  { type: 'motorcycle', class: () => Motorcycle },
) {}
