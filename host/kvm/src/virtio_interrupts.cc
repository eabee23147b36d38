// SPDX-License-Identifier: MIT
#include "virtio_interrupts.hh"

namespace oneclock::kvm {

namespace {

constexpr uint64_t kInterruptStatus = 0x60, kInterruptAck = 0x64, kStatus = 0x70;

// Lines of a PC that no device of ours and no driver of a system without such hardware takes.
constexpr unsigned kFreeLines[] = {5, 6, 7, 9, 10, 11, 12, 14, 15};

}  // namespace

unsigned VirtioInterrupts::line(uint32_t slot) { return kFreeLines[slot % (sizeof kFreeLines / sizeof *kFreeLines)]; }

bool VirtioInterrupts::read(uint64_t address, uint64_t& value) const {
  if (offset(address) != kInterruptStatus) return false;
  value = status_[slot(address)];
  return true;
}

bool VirtioInterrupts::write(uint64_t address, uint64_t value) {
  uint32_t slot = VirtioInterrupts::slot(address);
  switch (offset(address)) {
    case kInterruptAck:
      clear(slot, static_cast<uint32_t>(value));
      return true;
    case kStatus:
      // A reset, of which the device has more to do.
      if (value == 0) clear(slot, ~uint32_t{0});
      return false;
    default:
      return false;
  }
}

bool VirtioInterrupts::raise(uint32_t slot, uint32_t bits) {
  if (slot >= status_.size()) return false;
  if (bits == 0) return true;
  if (status_[slot] == 0) raised_[line(slot)]++;
  status_[slot] |= bits;
  interrupts_.raise_line(line(slot));
  return true;
}

void VirtioInterrupts::clear(uint32_t slot, uint32_t bits) {
  if (status_[slot] == 0) return;
  status_[slot] &= ~bits;
  if (status_[slot] == 0 && --raised_[line(slot)] == 0) interrupts_.pic.lower(line(slot));
}

}  // namespace oneclock::kvm
