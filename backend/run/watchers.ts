// SPDX-License-Identifier: MIT

/** Those who want to hear of something, in the order in which they came. */
export class Watchers<T> {
  readonly #watchers = new Set<(value: T) => void>();

  get size(): number {
    return this.#watchers.size;
  }

  /** @returns what ends it */
  add(watcher: (value: T) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Those who come meanwhile do not hear of it. */
  tell(value: T): void {
    for (const watcher of [...this.#watchers]) if (this.#watchers.has(watcher)) watcher(value);
  }
}
