// SPDX-License-Identifier: MIT

/** The module's parameters that a controller chooses. */
export interface ModuleParameters {
  /** GPIO lines, `NAME` or `CHIP-LABEL:OFFSET`; empty: none. */
  readonly pause: string;
  readonly resume: string;
  readonly signal: string;
  /** 0: never. */
  readonly periodMs: number;
}

/**
 * Loads and unloads vtgpio. What fails is thrown as an Error whose `code` is the name of the errno, such as `EBUSY`,
 * or `ETIMEDOUT` where the kernel took too long.
 */
export interface KernelModule {
  /** The parameters that it was loaded with, or undefined where it is not. */
  loaded(): ModuleParameters | undefined;
  load(parameters: ModuleParameters): Promise<void>;
  unload(): Promise<void>;
}
