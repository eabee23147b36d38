// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <vector>

#include "interrupts.hh"

namespace oneclock::kvm {

/**
 * The interrupts of virtio devices in memory (virtio 1.2, 4.2.2): a page for each device, of which InterruptStatus and
 * InterruptACK are here and all else is for JavaScript. Several devices may share a line.
 */
class VirtioInterrupts {
 public:
  static constexpr uint64_t kBase = 0xd0000000;
  static constexpr uint64_t kBytes = 0x1000;
  static constexpr uint64_t kQueueNotify = 0x50;
  static unsigned line(uint32_t slot);

  VirtioInterrupts(Interrupts& interrupts, uint32_t devices) : interrupts_(interrupts), status_(devices) {}

  bool owns(uint64_t address) const { return address >= kBase && (address - kBase) / kBytes < status_.size(); }
  /** The device, and the register in its page, of an address that is owned. */
  static uint32_t slot(uint64_t address) { return static_cast<uint32_t>((address - kBase) / kBytes); }
  static uint64_t offset(uint64_t address) { return address % kBytes; }
  /** Of an address that is owned; false where JavaScript has to. */
  bool read(uint64_t address, uint64_t& value) const;
  bool write(uint64_t address, uint64_t value);

  /** False where there is no such device. */
  bool raise(uint32_t slot, uint32_t bits);

 private:
  void clear(uint32_t slot, uint32_t bits);

  Interrupts& interrupts_;
  std::vector<uint32_t> status_;
  uint32_t raised_[Pic::kLines]{};  // how many devices hold each line
};

}  // namespace oneclock::kvm
