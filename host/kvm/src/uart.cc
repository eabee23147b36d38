// SPDX-License-Identifier: MIT
#include "uart.hh"

namespace oneclock::kvm {

namespace {

constexpr unsigned kLine = 4;

// Registers, and those behind them where the divisor is to be had.
enum Register : uint8_t {
  kData = 0,
  kInterruptEnable = 1,
  kIdentification = 2,  // FIFO control, when written
  kLineControl = 3,
  kModemControl = 4,
  kLineStatus = 5,
  kModemStatus = 6,
  kScratch = 7,
};

constexpr uint8_t kWhenEmpty = 0x02, kInterruptBits = 0x0f;
constexpr uint8_t kNoInterrupt = 0x01, kEmpty = 0x02, kFifos = 0xc0;
constexpr uint8_t kFifoEnable = 0x01;
constexpr uint8_t kDivisorAccess = 0x80;
constexpr uint8_t kOut2 = 0x08, kLoop = 0x10, kModemBits = 0x1f;
constexpr uint8_t kSent = 0x60;       // THRE and TEMT
constexpr uint8_t kConnected = 0xb0;  // DCD, DSR and CTS

}  // namespace

uint8_t Uart::read(uint64_t port) {
  auto index = static_cast<uint8_t>(port - kBase);
  bool divisor = line_control_ & kDivisorAccess;
  switch (index) {
    case kData:
      return divisor ? divisor_[0] : 0;
    case kInterruptEnable:
      return divisor ? divisor_[1] : enabled_;
    case kIdentification: {
      bool empty = (enabled_ & kWhenEmpty) && !empty_told_;
      if (empty) {
        empty_told_ = true;
        update_line();
      }
      return (empty ? kEmpty : kNoInterrupt) | (fifo_ & kFifoEnable ? kFifos : 0);
    }
    case kLineControl:
      return line_control_;
    case kModemControl:
      return modem_control_;
    case kLineStatus:
      return kSent;
    case kModemStatus:
      return modem_status();
    default:
      return scratch_;
  }
}

bool Uart::write(uint64_t port, uint8_t value) {
  auto index = static_cast<uint8_t>(port - kBase);
  bool divisor = line_control_ & kDivisorAccess;
  switch (index) {
    case kData:
      if (!divisor) return send(value);
      divisor_[0] = value;
      break;
    case kInterruptEnable:
      if (divisor) {
        divisor_[1] = value;
        break;
      }
      // Who asks for it anew is told anew.
      if (!(enabled_ & kWhenEmpty)) empty_told_ = false;
      enabled_ = value & kInterruptBits;
      update_line();
      break;
    case kIdentification:
      fifo_ = value;
      break;
    case kLineControl:
      line_control_ = value;
      break;
    case kModemControl:
      modem_control_ = value & kModemBits;
      update_line();
      break;
    case kScratch:
      scratch_ = value;
      break;
    default:  // the states are for reading
      break;
  }
  return false;
}

bool Uart::send(uint8_t byte) {
  empty_told_ = false;
  update_line();
  if (modem_control_ & kLoop) return false;
  record_.serial[record_.serial_count++] = byte;
  return byte == '\n' || record_.serial_count == kSerialBytes;
}

void Uart::update_line() {
  bool wanted = (enabled_ & kWhenEmpty) && !empty_told_ && (modem_control_ & kOut2);
  if (wanted)
    interrupts_.raise_line(kLine);
  else
    interrupts_.pic.lower(kLine);
}

/** In a loop, what the guest itself sets: DTR, RTS, OUT1 and OUT2 are DSR, CTS, RI and DCD. */
uint8_t Uart::modem_status() const {
  if (!(modem_control_ & kLoop)) return kConnected;
  uint8_t set = modem_control_;
  return (set & 0x01) << 5 | (set & 0x02) << 3 | (set & 0x04) << 4 | (set & 0x08) << 4;
}

}  // namespace oneclock::kvm
