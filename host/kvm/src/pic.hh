// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace oneclock::kvm {

/**
 * The pair of 8259 interrupt controllers of a PC, with the second at line 2 of the first. Lines 0 to 2 are
 * edge-triggered, all others level-triggered. Priorities are fixed; rotation, polling and special masks are not there.
 */
class Pic {
 public:
  static constexpr unsigned kLines = 16;

  static bool owns(uint64_t port) { return (port & ~uint64_t{0x81}) == 0x20; }
  uint8_t read(uint64_t port) const;
  void write(uint64_t port, uint8_t value);

  /** An edge, or a level that stays. */
  void raise(unsigned line) { chips_[line / 8].raise(line % 8); }
  void lower(unsigned line) { chips_[line / 8].lower(line % 8); }

  /** The vector of the most urgent interrupt; -1 where there is none. */
  int pending() const;
  /** The processor takes that interrupt. */
  void acknowledge();
  /** True where an edge of the line would get through to the processor now, or has. */
  bool open(unsigned line) const;

 private:
  struct Chip {
    uint8_t edges;             // lines that are not level-triggered
    uint8_t requests = 0;
    uint8_t in_service = 0;
    uint8_t mask = 0xff;
    uint8_t vectors = 0;       // of line 0
    uint8_t expected = 0;      // initialisation word that comes next; 0: none
    bool wants_fourth = false;
    bool ends_by_itself = false;
    bool reads_service = false;

    void raise(unsigned line) { requests |= 1 << line; }
    void lower(unsigned line) {
      if ((edges >> line & 1) == 0) requests &= ~(1 << line);
    }
    /** The most urgent line that is above what is in service; -1 where there is none. */
    int top(uint8_t candidates) const;
    void take(int line);
    void command(uint8_t value);
    void data(uint8_t value);
  };
  static constexpr unsigned kCascade = 2;

  uint8_t first_requests() const;

  Chip chips_[2] = {{0x07}, {0x00}};
};

}  // namespace oneclock::kvm
