// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace oneclock::kvm {

/** The power management timer of ACPI, in virtual time: a counter of 24 bits that nobody can stop. */
class PmTimer {
 public:
  static constexpr uint64_t kPort = 0x608;

  static uint32_t read(uint64_t now) {
    return static_cast<uint32_t>(static_cast<unsigned __int128>(now) * kHertz / kSecond) & 0xffffff;
  }

 private:
  static constexpr uint64_t kHertz = 3'579'545, kSecond = 1'000'000'000;
};

}  // namespace oneclock::kvm
