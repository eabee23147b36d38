// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';

/** A misspelt name is told, where JavaScript alone would go on with undefined. */
export function byName<T extends object>(what: string, things: T): T {
  return new Proxy(things, {
    get: (target, name) => {
      // A promise is asked for `then` by whoever it is given to.
      if (typeof name === 'symbol' || name in target || name === 'then' || name === 'toJSON')
        return Reflect.get(target, name);
      const known = Object.keys(target).join(', ') || 'none';
      throw new OneclockError('INPUT', `there is no ${what} ${name}; known: ${known}`);
    },
  });
}
