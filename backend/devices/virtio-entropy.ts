// SPDX-License-Identifier: MIT
import { type Cipher, createCipheriv } from 'node:crypto';
import { DeviceType, Feature, featureBit } from '../../protocols/virtio/index.js';
import { invariant } from '../errors.js';
import { DescriptorChain } from './descriptor-chain.js';
import { DeviceError } from './device-error.js';
import type { QueueRole, VirtioDevice, VirtioTransport } from './virtio-device.js';

/** Bytes of a seed. */
const SEED_BYTES = 32;
/** The most that one request gets, however much it has room for. */
const MAX_REQUEST_BYTES = 4096;

export interface EntropyOptions {
  /** For errors and traces: `entropy of a`. */
  readonly name: string;
  /** 32 bytes that nobody else has: everything that the guest gets comes from them. */
  readonly seed: Uint8Array;
}

const ROLES: readonly QueueRole[] = [{ name: 'request', fromDriver: false }];

/**
 * A source of entropy (virtio 1.2, 5.4) that gives the same bytes in each run: the key stream of ChaCha20 with the seed
 * for its key. A driver that comes back after a reset gets what follows, and not the same again.
 */
export class VirtioEntropy implements VirtioDevice {
  readonly type = DeviceType.RNG;
  readonly name: string;
  readonly features =
    featureBit(Feature.VERSION_1) |
    featureBit(Feature.RING_INDIRECT_DESC) |
    featureBit(Feature.RING_EVENT_IDX);
  readonly queues = ROLES;
  readonly config = new Uint8Array(0);
  readonly #stream: Cipher;
  readonly #chain = new DescriptorChain();
  #transport: VirtioTransport | undefined;

  constructor({ name, seed }: EntropyOptions) {
    invariant(seed.length === SEED_BYTES, () => `a seed of ${seed.length} bytes`);
    this.name = name;
    this.#stream = createCipheriv('chacha20', seed, new Uint8Array(16));
  }

  activate(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  reset(): void {
    this.#transport = undefined;
  }

  notify(index: number): boolean {
    const transport = this.#transport;
    const queue = transport?.queue(index);
    if (!transport || !queue) return false;
    const chain = this.#chain;
    let budget = 2 * queue.size;
    do {
      while (queue.pop(chain)) {
        if (chain.readableBytes > 0) {
          throw new DeviceError(
            `queue 0 (request) head ${chain.head} has ${chain.readableBytes} bytes to read`,
          );
        }
        const length = Math.min(chain.writableBytes, MAX_REQUEST_BYTES);
        queue.push(chain.head, chain.scatter(this.#stream.update(new Uint8Array(length))));
        if (--budget === 0) break;
      }
    } while (budget > 0 && queue.enableKicks());
    if (queue.flush()) transport.interrupt(index);
    return budget === 0;
  }
}
