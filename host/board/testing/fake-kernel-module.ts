// SPDX-License-Identifier: MIT
import type { KernelModule, ModuleParameters } from '../kernel-module.js';
import { errnoError, type FakeVtDevice } from './fake-vt-device.js';

/** Loads a {@link FakeVtDevice}. */
export class FakeKernelModule implements KernelModule {
  parameters: ModuleParameters | undefined;
  /** What is thrown by the next loads and unloads. */
  failing: string | undefined;

  constructor(private readonly device: FakeVtDevice) {}

  loaded(): ModuleParameters | undefined {
    return this.parameters;
  }

  async load(parameters: ModuleParameters): Promise<void> {
    this.#check();
    this.parameters = parameters;
    this.device.loaded = true;
  }

  async unload(): Promise<void> {
    this.#check();
    this.parameters = undefined;
    this.device.loaded = false;
  }

  #check(): void {
    if (this.failing !== undefined) throw errnoError(this.failing, 'vtgpio.ko');
  }
}
