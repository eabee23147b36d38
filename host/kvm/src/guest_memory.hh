// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>

namespace oneclock::kvm {

/**
 * A guest's memory, mapped for KVM. The file must be sealed against shrinking (create_shared_memory makes such), for a
 * guest that runs into a missing page ends with EFAULT.
 */
class GuestMemory {
 public:
  GuestMemory(int fd, size_t length);
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;
  ~GuestMemory();

  uint8_t* bytes() const { return bytes_; }
  size_t length() const { return length_; }
  /** 64-bit word at a guest-physical address that is known to be inside. */
  uint64_t& word(uint64_t address) const { return *reinterpret_cast<uint64_t*>(bytes_ + address); }

 private:
  uint8_t* bytes_;
  size_t length_;
};

}  // namespace oneclock::kvm
