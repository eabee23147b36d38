// SPDX-License-Identifier: MIT
import { constants } from 'node:os';
import { OneclockError } from '../../backend/errors.js';

const { EACCES, EBUSY, ENODEV, ENOENT, ENOTSUP, ENOTTY, ENXIO, EPERM } = constants.errno;

/** What a failed attempt to make a machine means to the user. */
export function kvmError(device: string, cause: Error & { errno?: number }): OneclockError {
  return new OneclockError('MACHINE', explain(device, cause), { cause });
}

function explain(device: string, { errno, message }: { errno?: number; message: string }): string {
  switch (errno) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return `no ${device}: load the module kvm_intel or kvm_amd; virtualisation has to be on in the firmware, or nested virtualisation where this is a virtual machine`;
    case EACCES:
    case EPERM:
      return `no permission: ${device} cannot be opened: add yourself to its group ("sudo usermod -aG kvm $USER") and log in again`;
    case EBUSY:
      return `${message}: another hypervisor of this machine has the processor: end it`;
    case ENOTTY:
    case ENOTSUP:
      return `${message}: ${device} cannot run 64-bit guests: KVM of Linux 4.12 or later on a 64-bit processor is needed`;
    default:
      return `${message}: KVM of this machine refuses a guest`;
  }
}
