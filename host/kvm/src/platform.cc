// SPDX-License-Identifier: MIT
#include "platform.hh"

#include <algorithm>

namespace oneclock::kvm {

namespace {

constexpr uint64_t kNothing = ~uint64_t{0};  // what is read where nobody answers
// The registers of ACPI, of which nothing is ever set, and the one that puts the machine to sleep.
constexpr uint64_t kAcpiEvents = 0x600, kAcpiControl = 0x604, kAcpiEnd = 0x606;
constexpr uint64_t kSleep = 1 << 13;
// The keyboard controller, which is not there but for its line to the processor's reset; and two other such ports.
constexpr uint64_t kKeyboard = 0x64, kSystemControl = 0x92, kResetControl = 0xcf9;
constexpr uint8_t kKeyboardReset = 0xfe, kSystemReset = 0x01, kHardReset = 0x04;
// Nothing is there, but who waits until it takes a command (bit 1 clear) need not wait.
constexpr uint8_t kKeyboardStatus = 0xfd;

constexpr uint64_t kFeatureMissing = -static_cast<uint64_t>(ONECLOCK_HC_E_FEATURE);

}  // namespace

Platform::Platform(const PlatformOptions& options, const GuestMemory& memory, Interrupts& interrupts,
                   ExitRecord& record)
    : interrupts_(interrupts),
      record_(record),
      time_of_day_(options.time_of_day),
      virtio_(interrupts, options.devices),
      notifications_(memory, record, options.devices),
      uart_(interrupts, record) {
  if (options.clock == ClockKind::kTimers)
    clock_.reset(timers_ = new Timers(interrupts));
  else if (options.clock == ClockKind::kReal)
    clock_.reset(page_ = real_ = new RealPage(memory, interrupts, options.time_of_day, options.features));
  else
    clock_.reset(page_ = new ClockPage(memory, interrupts, options.time_of_day, options.features));
}

bool Platform::handle(Exit& exit, const uint64_t* hypercall_args) {
  cause_ = exit;
  if (ends_guest(exit.kind)) return false;
  if (auto fault = clock_->follow()) return show(exit, *fault);
  switch (exit.kind) {
    case ExitKind::kOut:
      return out(exit);
    case ExitKind::kIn:
      return in(exit);
    case ExitKind::kWrite:
      return !virtio_.owns(exit.address) || write_virtio(exit);
    case ExitKind::kRead:
      if (virtio_.owns(exit.address)) return virtio_.read(exit.address, exit.value);
      exit.value = kNothing;
      return true;
    case ExitKind::kHypercall:
      return ring(exit, exit.value, hypercall_args);
    case ExitKind::kHalt:
      if (exit.value != 0) return halt(exit);
      // What a kernel does that knows no way to switch its machine off.
      return timers_ ? power(exit, ONECLOCK_HC_END_OFF) : show(exit, breach(Breach::kHalt));
    default:
      return false;
  }
}

bool Platform::proceed(Exit& exit) {
  clock_->allow(std::min(record_.free_until, notifications_.limit()));
  switch (exit.kind) {
    case ExitKind::kWait:
      clock_->wake(record_.run_at);
      exit = cause_;
      if (exit.kind == ExitKind::kHalt) return halt(exit);
      return exit.kind == ExitKind::kPower || advanced(exit);
    case ExitKind::kBell:
      return answer(exit, record_.now.value);
    case ExitKind::kIn:
    case ExitKind::kRead:
      exit.value = record_.now.value;
      return true;
    default:
      return true;
  }
}

/** To the page of a device. False where the controller has to see it. */
bool Platform::write_virtio(const Exit& exit) {
  if (virtio_.write(exit.address, exit.value)) return true;
  bool notifies = VirtioInterrupts::offset(exit.address) == VirtioInterrupts::kQueueNotify && exit.size == sizeof(uint32_t);
  if (!notifies || !notifications_.keep(VirtioInterrupts::slot(exit.address), exit.value, clock_->now())) return false;
  clock_->allow(std::min(clock_->free_until(), notifications_.limit()));
  return true;
}

bool Platform::out(Exit& exit) {
  auto byte = static_cast<uint8_t>(exit.value);
  if (Pic::owns(exit.address)) {
    interrupts_.pic.write(exit.address, byte);
    return true;
  }
  if (Uart::owns(exit.address)) return !uart_.write(exit.address, byte) || show(exit, {ExitKind::kSerial, 0, 0, 0});
  if (timers_ && Timers::owns(exit.address)) {
    timers_->write(exit.address, byte);
    return true;
  }
  switch (exit.address) {
    case ONECLOCK_HC_PORT_START:
    case ONECLOCK_HC_PORT_BELL:
      return !page_ || doorbell(exit);
    case Cmos::kIndex:
      cmos_.select(byte);
      return true;
    case kAcpiControl:
      return !(exit.value & kSleep) || power(exit, ONECLOCK_HC_END_OFF);
    case kKeyboard:
      return byte != kKeyboardReset || power(exit, ONECLOCK_HC_END_REBOOT);
    case kSystemControl:
      return !(byte & kSystemReset) || power(exit, ONECLOCK_HC_END_REBOOT);
    case kResetControl:
      return !(byte & kHardReset) || power(exit, ONECLOCK_HC_END_REBOOT);
    default:
      return true;
  }
}

bool Platform::in(Exit& exit) {
  bool doorbell = exit.address == ONECLOCK_HC_PORT_START || exit.address == ONECLOCK_HC_PORT_BELL;
  if (doorbell && page_) return show(exit, breach(Breach::kAccess, exit.size));
  if (timers_ && Timers::owns(exit.address)) return advance(exit, clock_->now() + Timers::kLook);
  exit.value = read(exit.address);
  return true;
}

uint64_t Platform::read(uint64_t port) {
  if (Pic::owns(port)) return interrupts_.pic.read(port);
  if (Uart::owns(port)) return uart_.read(port);
  if (port >= kAcpiEvents && port < kAcpiEnd) return 0;
  switch (port) {
    case Cmos::kData:
      return cmos_.read(time_of_day_ + clock_->now());
    case kKeyboard:
      return kKeyboardStatus;
    default:
      return kNothing;
  }
}

/** The two ports of the clock page. */
bool Platform::doorbell(Exit& exit) {
  if (exit.size != 4) return show(exit, breach(Breach::kAccess, exit.size));
  if (exit.address == ONECLOCK_HC_PORT_START) {
    auto fault = page_->start(exit.value);
    record_.page = page_->address();
    return !fault || show(exit, *fault);
  }
  if (!page_->page()) return show(exit, breach(Breach::kNoPage, exit.value));
  return ring(exit, exit.value, reinterpret_cast<const uint64_t*>(page_->page()->arg));
}

/** An operation; only where there is a clock page. */
bool Platform::ring(Exit& exit, uint64_t operation, const uint64_t* args) {
  if (cause_.kind == ExitKind::kHypercall && !page_->has(ONECLOCK_HC_FEATURE_HYPERCALL))
    return answer(exit, kFeatureMissing);
  uint32_t feature = 0;
  switch (operation) {
    case ONECLOCK_HC_OP_GET:
      return answer(exit, clock_->now());
    case ONECLOCK_HC_OP_UPDATE:
      return answer(exit, 0);
    case ONECLOCK_HC_OP_GET_TOD:
      return answer(exit, time_of_day_ + clock_->now());
    case ONECLOCK_HC_OP_ADVANCE:
      // Real time goes on while the guest rings.
      if ((args[0] < clock_->now() && !real_) || args[0] > kLastInstant)
        return show(exit, breach(Breach::kInstant, args[0], clock_->now()));
      return real_ ? answer(exit, clock_->now()) : advance(exit, args[0]);
    case ONECLOCK_HC_OP_END:
      if (args[0] > ONECLOCK_HC_END_PANIC) return show(exit, breach(Breach::kEnd, args[0]));
      return power(exit, args[0]);
    case ONECLOCK_HC_OP_REGISTER:
    case ONECLOCK_HC_OP_CHANGED:
      feature = ONECLOCK_HC_FEATURE_WRITE_UPDATE;
      break;
    case ONECLOCK_HC_OP_PARTITION:
    case ONECLOCK_HC_OP_LINE:
    case ONECLOCK_HC_OP_WARPED:
    case ONECLOCK_HC_OP_MISSED:
      feature = ONECLOCK_HC_FEATURE_PARTITION;
      break;
    default:
      return show(exit, breach(Breach::kOperation, operation));
  }
  if (!page_->has(feature)) return answer(exit, kFeatureMissing);
  std::copy(args, args + ONECLOCK_HC_ARGS, record_.args);
  return show(exit, {ExitKind::kBell, 0, operation, 0});
}

/**
 * Time passes until `instant`, or until an interrupt comes. One that was there when the last advance ended does not
 * count: the guest may have interrupts off, and would wait for ever.
 */
bool Platform::advance(Exit& exit, uint64_t instant) {
  if (!interrupts_.fresh()) {
    uint64_t due = std::min(instant, clock_->request());
    if (due > clock_->now() && due >= clock_->free_until()) return wait(exit, due);
    clock_->reach(due);
  }
  return advanced(exit);
}

bool Platform::advanced(Exit& exit) {
  interrupts_.settle();
  if (cause_.kind != ExitKind::kIn) return answer(exit, clock_->now());
  exit = cause_;
  exit.value = timers_->read(exit.address);
  return true;
}

/** HLT with interrupts on. */
bool Platform::halt(Exit& exit) {
  if (interrupts_.next() < 0 && clock_->request() < clock_->free_until()) clock_->reach(clock_->request());
  return interrupts_.next() >= 0 || wait(exit, clock_->request());
}

/** The result of what the guest has rung. */
bool Platform::answer(Exit& exit, uint64_t result) {
  exit = cause_;
  if (exit.kind == ExitKind::kHypercall)
    exit.value = result;
  else
    page_->page()->ret = static_cast<int64_t>(result);
  return true;
}

bool Platform::wait(Exit& exit, uint64_t request) {
  record_.request = request;
  return show(exit, {ExitKind::kWait, 0, 0, request});
}

bool Platform::power(Exit& exit, uint64_t how) { return show(exit, {ExitKind::kPower, 0, how, 0}); }

/** The controller sees another exit than the guest's. */
bool Platform::show(Exit& exit, const Exit& instead) {
  exit = instead;
  return false;
}

}  // namespace oneclock::kvm
