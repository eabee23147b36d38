// SPDX-License-Identifier: MIT
#include "cmos.hh"

#include <ctime>

namespace oneclock::kvm {

namespace {

constexpr uint8_t kDividers = 0x26;  // register A: counting at 32768 Hz, and no update under way
constexpr uint8_t kDay = 0x02;       // register B: 24 hours, decimal
constexpr uint8_t kValid = 0x80;     // register D

uint8_t decimal(int number) { return static_cast<uint8_t>(number / 10 << 4 | number % 10); }

}  // namespace

uint8_t Cmos::read(uint64_t time_of_day) const {
  auto seconds = static_cast<time_t>(time_of_day / 1'000'000'000);
  tm day{};
  gmtime_r(&seconds, &day);
  switch (index_) {
    case 0x00:
      return decimal(day.tm_sec);
    case 0x02:
      return decimal(day.tm_min);
    case 0x04:
      return decimal(day.tm_hour);
    case 0x06:
      return decimal(day.tm_wday + 1);
    case 0x07:
      return decimal(day.tm_mday);
    case 0x08:
      return decimal(day.tm_mon + 1);
    case 0x09:
      return decimal(day.tm_year % 100);
    case 0x0a:
      return kDividers;
    case 0x0b:
      return kDay;
    case 0x0d:
      return kValid;
    case 0x32:
      return decimal((1900 + day.tm_year) / 100);
    default:
      return 0;
  }
}

}  // namespace oneclock::kvm
