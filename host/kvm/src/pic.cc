// SPDX-License-Identifier: MIT
#include "pic.hh"

namespace oneclock::kvm {

namespace {

constexpr uint8_t kInitialise = 0x10, kWantsFourth = 0x01;  // first initialisation word
constexpr uint8_t kEndsByItself = 0x02;                     // fourth
constexpr uint8_t kEnd = 0x20, kSpecific = 0x40;            // operation word 2
constexpr uint8_t kWord3 = 0x08, kSelectsRead = 0x02;       // operation word 3

}  // namespace

int Pic::Chip::top(uint8_t candidates) const {
  if (candidates == 0) return -1;
  int line = __builtin_ctz(candidates);
  return in_service != 0 && __builtin_ctz(in_service) <= line ? -1 : line;
}

void Pic::Chip::take(int line) {
  if (edges >> line & 1) requests &= ~(1 << line);
  if (!ends_by_itself) in_service |= 1 << line;
}

void Pic::Chip::command(uint8_t value) {
  if (value & kInitialise) {
    expected = 2;
    wants_fourth = value & kWantsFourth;
    requests &= ~edges;
    in_service = mask = 0;
    ends_by_itself = reads_service = false;
  } else if (value & kWord3) {
    if (value & kSelectsRead) reads_service = value & 1;
  } else if (value & kEnd) {
    if (value & kSpecific)
      in_service &= ~(1 << (value & 7));
    else
      in_service &= in_service - 1;
  }
}

void Pic::Chip::data(uint8_t value) {
  switch (expected) {
    case 2:
      vectors = value & 0xf8;
      expected = 3;
      break;
    case 3:  // how the two are connected, which they are as they are
      expected = wants_fourth ? 4 : 0;
      break;
    case 4:
      ends_by_itself = value & kEndsByItself;
      expected = 0;
      break;
    default:
      mask = value;
  }
}

uint8_t Pic::read(uint64_t port) const {
  const Chip& chip = chips_[port >> 7 & 1];
  if (port & 1) return chip.mask;
  if (chip.reads_service) return chip.in_service;
  return &chip == &chips_[0] ? first_requests() : chip.requests;
}

void Pic::write(uint64_t port, uint8_t value) {
  Chip& chip = chips_[port >> 7 & 1];
  if (port & 1)
    chip.data(value);
  else
    chip.command(value);
}

/** Those of the first chip, among them what the second one wants. */
uint8_t Pic::first_requests() const {
  const Chip& second = chips_[1];
  bool wanted = second.top(second.requests & ~second.mask) >= 0;
  return (chips_[0].requests & ~(1 << kCascade)) | (wanted << kCascade);
}

int Pic::pending() const {
  int line = chips_[0].top(first_requests() & ~chips_[0].mask);
  if (line != kCascade) return line < 0 ? -1 : chips_[0].vectors + line;
  return chips_[1].vectors + chips_[1].top(chips_[1].requests & ~chips_[1].mask);
}

void Pic::acknowledge() {
  int line = chips_[0].top(first_requests() & ~chips_[0].mask);
  if (line < 0) return;
  if (line == kCascade) chips_[1].take(chips_[1].top(chips_[1].requests & ~chips_[1].mask));
  chips_[0].take(line);
}

bool Pic::open(unsigned line) const {
  const Chip& chip = chips_[0];
  return chip.top(1 << line & ~chip.mask) >= 0;
}

}  // namespace oneclock::kvm
