// SPDX-License-Identifier: MIT
#include "pit.hh"

#include "clock.hh"

namespace oneclock::kvm {

namespace {

constexpr uint64_t kHertz = 1'193'182, kSecond = 1'000'000'000;
constexpr uint64_t kControl = 3;
constexpr uint32_t kWhole = 0x10000;

uint64_t ticks(uint64_t duration) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(duration) * kHertz / kSecond);
}

/** The shortest duration that has so many ticks; kNever where it is too long. */
uint64_t duration(uint64_t ticks) {
  auto exact = (static_cast<unsigned __int128>(ticks) * kSecond + kHertz - 1) / kHertz;
  return exact > kLastInstant ? kNever : static_cast<uint64_t>(exact);
}

}  // namespace

uint16_t Pit::Counter::value(uint64_t now) const {
  if (count == 0) return 0;
  uint64_t passed = ticks(now - start);
  if (!periodic()) return static_cast<uint16_t>(count - passed);
  // A square wave (mode 3) goes down by two, twice in each round.
  uint64_t in_round = mode & 1 ? passed * 2 % count : passed % count;
  return static_cast<uint16_t>(count - in_round);
}

void Pit::Counter::control(uint8_t word, uint64_t now) {
  uint8_t access = word >> 4 & 3;
  if (access == 0) {
    if (!latched) latch = value(now);
    latched = true;
    return;
  }
  *this = Counter{};
  bytes = access;
  mode = word >> 1 & 7;
}

void Pit::Counter::write(uint8_t byte, uint64_t now) {
  if (bytes == 3 && !upper_written) {
    low = byte;
    upper_written = true;
    return;
  }
  upper_written = false;
  uint32_t loaded = bytes == 1 ? byte : byte << 8 | low;
  count = loaded == 0 ? kWhole : loaded;
  start = now;
  rounds = 0;
}

uint8_t Pit::Counter::read(uint64_t now) {
  uint16_t whole = latched ? latch : value(now);
  bool upper = bytes == 2 || (bytes == 3 && upper_read);
  if (bytes == 3) upper_read = !upper_read;
  if (!upper_read) latched = false;
  return static_cast<uint8_t>(upper ? whole >> 8 : whole);
}

uint8_t Pit::read(uint64_t port, uint64_t now) {
  uint64_t index = port & 3;
  return index == kControl ? 0xff : counters_[index].read(now);
}

void Pit::write(uint64_t port, uint8_t value, uint64_t now) {
  uint64_t index = port & 3;
  if (index != kControl) return counters_[index].write(value, now);
  uint8_t channel = value >> 6;
  if (channel < 3) counters_[channel].control(value, now);
}

uint64_t Pit::next() const {
  const Counter& timer = counters_[0];
  if (timer.count == 0 || timer.waits_for_gate() || (!timer.periodic() && timer.rounds > 0)) return kNever;
  uint64_t until = duration((timer.rounds + 1) * timer.count);
  return until > kLastInstant - timer.start ? kNever : timer.start + until;
}

bool Pit::pass(uint64_t now) {
  if (next() > now) return false;
  Counter& timer = counters_[0];
  timer.rounds = timer.periodic() ? ticks(now - timer.start) / timer.count : 1;
  return true;
}

}  // namespace oneclock::kvm
