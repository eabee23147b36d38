// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';

/** A guest's driver, or the front-end it runs in, broke the rules of its device. It fails that device alone. */
export class DeviceError extends OneclockError {
  constructor(message: string, options?: ErrorOptions) {
    super('PARTICIPANT', message, options);
  }
}
