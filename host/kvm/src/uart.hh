// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

#include "exit.hh"
#include "interrupts.hh"

namespace oneclock::kvm {

/** A 16550A serial port that sends at once, and receives nothing. */
class Uart {
 public:
  static constexpr uint64_t kBase = 0x3f8;

  Uart(Interrupts& interrupts, ExitRecord& record) : interrupts_(interrupts), record_(record) {}

  static bool owns(uint64_t port) { return (port & ~uint64_t{7}) == kBase; }
  uint8_t read(uint64_t port);
  /** True where the record is to be shown: its output is a line, or full. */
  bool write(uint64_t port, uint8_t value);

 private:
  bool send(uint8_t byte);
  void update_line();
  uint8_t modem_status() const;

  Interrupts& interrupts_;
  ExitRecord& record_;
  bool empty_told_ = true;  // the guest has seen that everything is sent
  uint8_t enabled_ = 0;     // interrupts
  uint8_t fifo_ = 0;
  uint8_t line_control_ = 0;
  uint8_t modem_control_ = 0;
  uint8_t scratch_ = 0;
  uint8_t divisor_[2]{};
};

}  // namespace oneclock::kvm
