// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace oneclock::kvm {

/** The clock of a PC that tells the time of day (MC146818), to be read only. Its alarms are not there. */
class Cmos {
 public:
  static constexpr uint64_t kIndex = 0x70, kData = 0x71;

  void select(uint8_t index) { index_ = index & 0x7f; }
  /** @param time_of_day in nanoseconds since 1970 */
  uint8_t read(uint64_t time_of_day) const;

 private:
  uint8_t index_ = 0;
};

}  // namespace oneclock::kvm
